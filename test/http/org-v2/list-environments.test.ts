import { useApi } from '../../support/api.ts'
import { environments } from '../support/collections.ts'
import { describeFilter, describeList } from '../support/list.ts'

const api = useApi()

describeList(api, environments)
describeFilter(api, environments, 'display_name', (made) => String(made['display_name']))
