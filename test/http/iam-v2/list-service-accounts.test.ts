import { useApi } from '../../support/api.ts'
import { serviceAccounts } from '../support/collections.ts'
import { describeFilter, describeList } from '../support/list.ts'

const api = useApi()

describeList(api, serviceAccounts)
describeFilter(api, serviceAccounts, 'display_name', (made) => String(made['display_name']))
