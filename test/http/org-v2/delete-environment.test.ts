import { useApi } from '../../support/api.ts'
import { environments } from '../support/collections.ts'
import { describeDelete, describeDeleteOfVersion } from '../support/delete.ts'

const api = useApi()

describeDelete(api, environments)
describeDeleteOfVersion(api, environments)
