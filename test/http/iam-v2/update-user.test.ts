import { useApi } from '../../support/api.ts'
import { users } from '../support/collections.ts'
import { describeUpdate } from '../support/update.ts'

describeUpdate(useApi(), users, {
  change: (unique) => ({ full_name: unique }),
  cleared: { patch: { full_name: null }, shown: { full_name: '' } },
  refused: [
    [{ full_name: 'x'.repeat(256) }, '/full_name'],
    [{ email: 'other@example.com' }, '/email'],
  ],
})
