import { useApi } from '../../support/api.ts'
import { serviceAccounts } from '../support/collections.ts'
import { describeUpdate } from '../support/update.ts'

describeUpdate(useApi(), serviceAccounts, {
  change: (unique) => ({ description: unique }),
  cleared: { patch: { description: null }, shown: { description: '' } },
  unique: 'display_name',
  refused: [
    [{ display_name: null }, '/display_name'],
    [{ display_name: '', description: 7 }, '/display_name', '/description'],
  ],
})
