import { useApi } from '../../support/api.ts'
import { serviceAccounts } from '../support/collections.ts'
import { describeDelete, describeDeleteOfVersion } from '../support/delete.ts'
import { describeDeleteOfOwner } from '../support/owner.ts'

const api = useApi()

describeDelete(api, serviceAccounts)
describeDeleteOfVersion(api, serviceAccounts)
describeDeleteOfOwner(api, serviceAccounts)
