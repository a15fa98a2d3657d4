import { useApi } from '../../support/api.ts'
import { identityPools } from '../support/collections.ts'
import { describeDelete, describeDeleteOfVersion } from '../support/delete.ts'

const api = useApi()

describeDelete(api, identityPools)
describeDeleteOfVersion(api, identityPools)
