import { useApi } from '../../support/api.ts'
import { users } from '../support/collections.ts'
import { describeDelete, describeDeleteOfVersion } from '../support/delete.ts'
import { describeDeleteOfOwner } from '../support/owner.ts'

const api = useApi()

describeDelete(api, users)
describeDeleteOfVersion(api, users)
describeDeleteOfOwner(api, users)
