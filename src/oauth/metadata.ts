import { signatureAlgorithms } from '../auth/keys/algorithm.ts'
import { grantType } from './grant.ts'
import type { ClientAuthMethod } from './partner-client.ts'

/** Where each endpoint is, below the issuer. */
export const paths = {
  token: '/oauth2/token',
  revocation: '/oauth2/revoke',
  introspection: '/oauth2/introspect',
  keySet: '/oauth2/jwks.json',
  metadata: '/.well-known/oauth-authorization-server',
} as const

const authMethods: readonly ClientAuthMethod[] = [
  'client_secret_basic',
  'client_secret_post',
  'private_key_jwt',
]

/** RFC 9864 has given EdDSA with Ed25519 a name of its own; clients use either. */
const assertionAlgorithms = [...signatureAlgorithms, 'Ed25519']

/**
 * What clients find out by themselves.
 *
 * @param issuer an origin
 * @see RFC 8414 §2
 */
export function metadataOf(issuer: string): Readonly<Record<string, unknown>> {
  return {
    issuer,
    token_endpoint: issuer + paths.token,
    jwks_uri: issuer + paths.keySet,
    // Required of every server, also of one without an authorization endpoint.
    response_types_supported: [],
    grant_types_supported: [grantType],
    token_endpoint_auth_methods_supported: authMethods,
    token_endpoint_auth_signing_alg_values_supported: assertionAlgorithms,
    revocation_endpoint: issuer + paths.revocation,
    revocation_endpoint_auth_methods_supported: authMethods,
    revocation_endpoint_auth_signing_alg_values_supported: assertionAlgorithms,
    introspection_endpoint: issuer + paths.introspection,
    introspection_endpoint_auth_methods_supported: ['client_secret_basic'],
  }
}
