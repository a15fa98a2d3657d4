import { useApi } from '../../support/api.ts'
import { identityProviders } from '../support/collections.ts'
import { describeUpdate } from '../support/update.ts'

describeUpdate(useApi(), identityProviders, {
  change: (unique) => ({ description: unique }),
  cleared: {
    patch: { description: null, jwks_uri: null },
    shown: { description: '', state: 'ENABLED' },
  },
  unique: 'issuer',
  refused: [
    [{ display_name: null }, '/display_name'],
    [{ issuer: 'ftp://issuer.example.com' }, '/issuer'],
    [{ issuer: 'https://accounts.google.com' }, '/issuer'],
    [{ jwks_uri: 'https://a b' }, '/jwks_uri'],
    [{ identity_claim: 'sub' }, '/identity_claim'],
    [{ state: 'SLEEPING' }, '/state'],
    [{ jwks_uri: 'http://issuer.example.com/keys' }, '/jwks_uri'],
    [{ jwks_uri: 'https://10.0.0.1/keys' }, '/jwks_uri'],
    [{ jwks_uri: null, issuer: 'https://[::1]' }, '/issuer'],
  ],
})
