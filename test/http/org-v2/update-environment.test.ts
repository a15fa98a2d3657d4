import { useApi } from '../../support/api.ts'
import { environments } from '../support/collections.ts'
import { describeUpdate } from '../support/update.ts'

describeUpdate(useApi(), environments, {
  change: (unique) => ({ display_name: unique }),
  unique: 'display_name',
  refused: [
    [{ display_name: null }, '/display_name'],
    [{ display_name: '' }, '/display_name'],
  ],
})
