import * as oauth4webapi from 'oauth4webapi'
import * as openidClient from 'openid-client'
import { exportJWK } from 'jose'
import { describe, expect, test } from 'vitest'
import { introspector, lifetimeSeconds, makeClient, useOAuth, type Serving } from './serving.ts'

const serving = useOAuth()

/** Loopback speaks plain HTTP. */
// eslint-disable-next-line @typescript-eslint/no-deprecated -- marked so as to stand out
const insecure = { [oauth4webapi.allowInsecureRequests]: true }

async function discover({ issuer }: Serving): Promise<oauth4webapi.AuthorizationServer> {
  const url = new URL(issuer)
  const options = { ...insecure, algorithm: 'oauth2' } as const
  return oauth4webapi.processDiscoveryResponse(
    url,
    await oauth4webapi.discoveryRequest(url, options),
  )
}

async function requestToken(
  server: oauth4webapi.AuthorizationServer,
  id: string,
  authentication: oauth4webapi.ClientAuth,
): Promise<oauth4webapi.TokenEndpointResponse> {
  const client = { client_id: id }
  const response = await oauth4webapi.clientCredentialsGrantRequest(
    server,
    client,
    authentication,
    { scope: 'partner:describe' },
    insecure,
  )
  return oauth4webapi.processClientCredentialsResponse(server, client, response)
}

/** A client that signs, and the key that it signs with. */
async function makeSigningClient(
  oauth: Serving,
  algorithm: string,
): Promise<{ id: string; key: oauth4webapi.PrivateKey }> {
  const { privateKey, publicKey } = await oauth4webapi.generateKeyPair(algorithm)
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: algorithm }
  const authMethods = ['private_key_jwt'] as const
  const { id } = await makeClient(oauth, { authMethods, jwks: { keys: [jwk] } })
  return { id, key: { key: privateKey, kid: 'k1' } }
}

describe('oauth4webapi', () => {
  test.each([
    ['client_secret_basic', oauth4webapi.ClientSecretBasic],
    ['client_secret_post', oauth4webapi.ClientSecretPost],
  ] as const)('gets a token by %s', async (method, authentication) => {
    const oauth = await serving()
    const { id, secret } = await makeClient(oauth, { authMethods: [method] })
    const granted = await requestToken(await discover(oauth), id, authentication(secret))
    expect(granted).toMatchObject({ expires_in: lifetimeSeconds, scope: 'partner:describe' })
  })

  test.each(['EdDSA', 'Ed25519', 'ES256', 'ES384', 'RS256', 'PS256'])(
    'gets a token by private_key_jwt with %s, time and again',
    async (algorithm) => {
      const oauth = await serving()
      const { id, key } = await makeSigningClient(
        oauth,
        algorithm === 'EdDSA' ? 'Ed25519' : algorithm,
      )
      const server = await discover(oauth)
      const header = (head: Record<string, unknown>): void => {
        head['alg'] = algorithm
      }
      const authentication = oauth4webapi.PrivateKeyJwt(key, {
        [oauth4webapi.modifyAssertion]: header,
      })
      for (let request = 0; request < 2; request++)
        expect(await requestToken(server, id, authentication)).toMatchObject({
          scope: 'partner:describe',
        })
    },
  )

  test('gets a token by private_key_jwt without naming its only key', async () => {
    const oauth = await serving()
    const { id, key } = await makeSigningClient(oauth, 'ES256')
    const bare = 'key' in key ? key.key : key
    const granted = requestToken(await discover(oauth), id, oauth4webapi.PrivateKeyJwt(bare))
    await expect(granted).resolves.toMatchObject({ scope: 'partner:describe' })
  })

  test('reads why it gets none', async () => {
    const oauth = await serving()
    const { id, secret } = await makeClient(oauth)
    const server = await discover(oauth)
    const wrong = requestToken(server, id, oauth4webapi.ClientSecretPost(`${secret}x`))
    await expect(wrong).rejects.toMatchObject({ error: 'invalid_client', status: 401 })
    const byField = requestToken(server, id, oauth4webapi.ClientSecretBasic(`${secret}x`))
    await expect(byField).rejects.toMatchObject({
      cause: [{ scheme: 'basic', parameters: { realm: 'gatehouse' } }],
    })
  })

  test('revokes its token, after which upstreams are told that it is not active', async () => {
    const oauth = await serving()
    const { id, key } = await makeSigningClient(oauth, 'ES256')
    const server = await discover(oauth)
    const authentication = oauth4webapi.PrivateKeyJwt(key)
    const { access_token } = await requestToken(server, id, authentication)
    const introspect = async (): Promise<oauth4webapi.IntrospectionResponse> => {
      const upstream = { client_id: introspector.id }
      const response = await oauth4webapi.introspectionRequest(
        server,
        upstream,
        oauth4webapi.ClientSecretBasic(introspector.secret),
        access_token,
        insecure,
      )
      return oauth4webapi.processIntrospectionResponse(server, upstream, response)
    }
    expect(await introspect()).toMatchObject({ active: true, client_id: id })
    const revoked = await oauth4webapi.revocationRequest(
      server,
      { client_id: id },
      authentication,
      access_token,
      insecure,
    )
    await oauth4webapi.processRevocationResponse(revoked)
    expect(await introspect()).toEqual({ active: false })
  })

  test('validates our token as RFC 9068 says, by our key set', async () => {
    const oauth = await serving()
    const { id, secret } = await makeClient(oauth)
    const server = await discover(oauth)
    const { access_token } = await requestToken(server, id, oauth4webapi.ClientSecretPost(secret))
    const request = new Request('http://upstream.example.com/', {
      headers: { Authorization: `Bearer ${access_token}` },
    })
    const audience = `${oauth.issuer}/partner`
    const claims = await oauth4webapi.validateJwtAccessToken(server, request, audience, {
      ...insecure,
      signingAlgorithms: ['EdDSA'],
    })
    expect(claims).toMatchObject({ sub: id, client_id: id, scope: 'partner:describe' })
  })
})

describe('openid-client', () => {
  test.each([
    ['client_secret_basic', openidClient.ClientSecretBasic],
    ['client_secret_post', openidClient.ClientSecretPost],
  ] as const)('gets, introspects and revokes a token by %s', async (method, authentication) => {
    const oauth = await serving()
    const { id, secret } = await makeClient(oauth, { authMethods: [method] })
    const discovered = (
      clientId: string,
      clientAuthentication: openidClient.ClientAuth,
    ): Promise<openidClient.Configuration> =>
      openidClient.discovery(new URL(oauth.issuer), clientId, {}, clientAuthentication, {
        algorithm: 'oauth2',
        // eslint-disable-next-line @typescript-eslint/no-deprecated -- marked so as to stand out
        execute: [openidClient.allowInsecureRequests],
      })
    const partner = await discovered(id, authentication(secret))
    const upstream = await discovered(
      introspector.id,
      openidClient.ClientSecretBasic(introspector.secret),
    )
    const granted = await openidClient.clientCredentialsGrant(partner, {
      scope: 'partner:create partner:describe',
    })
    expect(granted.scope).toBe('partner:create partner:describe')
    const token = granted.access_token
    expect(await openidClient.tokenIntrospection(upstream, token)).toMatchObject({ active: true })
    await openidClient.tokenRevocation(partner, token)
    expect(await openidClient.tokenIntrospection(upstream, token)).toEqual({ active: false })
  })
})
