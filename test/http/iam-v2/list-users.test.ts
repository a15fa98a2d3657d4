import { useApi } from '../../support/api.ts'
import { users } from '../support/collections.ts'
import { describeFilter, describeList } from '../support/list.ts'

const api = useApi()

describeList(api, users)
describeFilter(api, users, 'email', (made) => String(made['email']))
