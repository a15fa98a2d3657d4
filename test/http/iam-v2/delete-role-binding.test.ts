import { useApi } from '../../support/api.ts'
import { roleBindings } from '../support/collections.ts'
import { describeDelete } from '../support/delete.ts'

const api = useApi()

describeDelete(api, roleBindings)
