import { useApi } from '../../support/api.ts'
import { identityProviders } from '../support/collections.ts'
import { describeFilter, describeList } from '../support/list.ts'

const api = useApi()

describeList(api, identityProviders)
describeFilter(api, identityProviders, 'issuer', (made) => String(made['issuer']))
