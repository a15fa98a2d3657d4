import { useApi } from '../../support/api.ts'
import { environments } from '../support/collections.ts'
import { describeCreate, describeTwin } from '../support/create.ts'

const api = useApi()

describeTwin(api, environments)
describeCreate(api, environments, {
  address: () => '/org/v2/environments',
  name: () => 'environment',
  refused: [
    [{}, '/display_name'],
    [{ display_name: '' }, '/display_name'],
    [{ display_name: 'a\0b' }, '/display_name'],
    [{ display_name: 'x'.repeat(256) }, '/display_name'],
  ],
})
