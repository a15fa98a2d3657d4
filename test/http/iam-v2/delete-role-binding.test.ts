import { useApi } from '../../support/api.ts'
import { roleBindings } from '../support/collections.ts'
import { describeDelete, describeDeleteOfVersion } from '../support/delete.ts'

const api = useApi()

describeDelete(api, roleBindings)
describeDeleteOfVersion(api, roleBindings)
