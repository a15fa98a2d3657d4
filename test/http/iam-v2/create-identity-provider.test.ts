import { useApi } from '../../support/api.ts'
import { identityProviders } from '../support/collections.ts'
import { describeCreate, describeTwin } from '../support/create.ts'

const api = useApi()

describeTwin(api, identityProviders)
describeCreate(api, identityProviders, {
  address: () => '/iam/v2/identity-providers',
  name: () => 'identity-provider',
  shown: { state: 'ENABLED' },
  refused: [
    [{}, '/display_name', '/issuer'],
    [{ display_name: 'a', issuer: 'issuer.example.com' }, '/issuer'],
    [{ display_name: 'a', issuer: 'https://a', jwks_uri: 'file:///keys' }, '/jwks_uri'],
    [{ display_name: 'a', issuer: 'https://a', jwks_uri: 'https://127.1/keys' }, '/jwks_uri'],
    [{ display_name: 'a', issuer: 'https://169.254.169.254' }, '/issuer'],
    [{ display_name: 'a', issuer: 'https://a', identity_claim: 'sub' }, '/identity_claim'],
  ],
})
