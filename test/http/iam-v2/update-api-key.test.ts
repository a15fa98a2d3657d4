import { useApi } from '../../support/api.ts'
import { apiKeys } from '../support/collections.ts'
import { describeUpdate } from '../support/update.ts'

describeUpdate(useApi(), apiKeys, {
  change: (unique) => ({ spec: { display_name: unique } }),
  cleared: { patch: { spec: { description: null } }, shown: { spec: { description: '' } } },
  refused: [
    [{ spec: { display_name: 'x'.repeat(256) } }, '/spec/display_name'],
    [{ spec: { expires_at: 'tomorrow' } }, '/spec/expires_at'],
    [{ spec: { owner: { id: 'u-other' } } }, '/spec/owner/id'],
    [{ spec: { resource: { id: 'lkc-1' } } }, '/spec/resource'],
  ],
})
