import { useApi } from '../../support/api.ts'
import { apiKeys } from '../support/collections.ts'
import { describeDelete, describeDeleteOfVersion } from '../support/delete.ts'

const api = useApi()

describeDelete(api, apiKeys)
describeDeleteOfVersion(api, apiKeys)
