import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startOpenIdIssuer, type OpenIdIssuer } from '../auth/keys/openid-issuer.ts'
import { basic } from '../support/basic.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { recordingUpstream, type RecordingUpstream } from '../support/recording-upstream.ts'

const publicOrigin = 'https://api.test'
const actor = { id: 'test' }

let upstream: RecordingUpstream
let idp: OpenIdIssuer
let gateway: TestGateway
let poolId: string
let providerId: string
let client: { id: string; secret: string }
let authorizations: Record<Presented, string>

/** What is presented; each is valid somewhere. */
const presentable = [
  'cloud key',
  'resource key',
  'key of another resource',
  'global key',
  'external token',
  'STS token',
  'partner token',
  'partner token without the scope',
  'nonsense token',
] as const
type Presented = (typeof presentable)[number]

/** The scheme of an operation, and what alone opens it. */
const operations = {
  '/cloud': { scheme: { 'cloud-api-key': [] }, opens: ['cloud key'] },
  '/resource/lkc-1': { scheme: { 'resource-api-key': [] }, opens: ['resource key'] },
  '/global': { scheme: { 'global-api-key': [] }, opens: ['global key'] },
  '/sts': { scheme: { 'confluent-sts-access-token': [] }, opens: ['STS token'] },
  '/external': { scheme: { 'external-access-token': [] }, opens: ['external token'] },
  '/partner': { scheme: { oauth: ['partner:create'] }, opens: ['partner token'] },
} as const satisfies Record<string, { scheme: object; opens: readonly Presented[] }>

beforeAll(async () => {
  upstream = await recordingUpstream()
  upstream.behave((incoming, outgoing) => {
    outgoing.end(JSON.stringify(incoming.headers))
  })
  idp = await startOpenIdIssuer()
  gateway = await startGateway({
    groups: [
      {
        name: 'all/v1',
        paths: Object.fromEntries(
          Object.entries(operations).map(([path, { scheme }]) => [
            path.replace('lkc-1', '{id}'),
            { get: { security: [scheme] } },
          ]),
        ),
        resource: { kind: 'kafka-cluster', id: { path: 'id' } },
        upstreamUrl: upstream.url,
      },
    ],
    services: ['sts', 'oauth'],
    configuration: {
      publicOrigin,
      tokens: { identityProviders: { allowAddresses: ['127.0.0.1'], allowHttp: true } },
      limits: {
        unauthenticated: { requests: 10_000, windowSeconds: 3_600 },
        classes: { standard: {} },
      },
    },
  })
  authorizations = await presentAll()
})
afterAll(async () => {
  await gateway.stop()
  await idp.stop()
  await upstream.close()
})

async function presentAll(): Promise<Record<Presented, string>> {
  const { directory, organizationId } = gateway
  const provider = { organizationId, displayName: 'idp', issuer: idp.issuer }
  providerId = (await directory.identityProviders.create(provider, actor)).id
  const pool = { providerId, displayName: 'p', identityClaim: 'claims.sub', filter: 'true' }
  poolId = (await directory.identityPools.create(pool, actor)).id
  client = await newClient(['partner:create', 'partner:describe'])
  const describing = await newClient(['partner:describe'])
  const external = await idp.issueToken()
  const partner = await partnerToken(client)
  return {
    'cloud key': gateway.key.authorization,
    'resource key': await newKey('lkc-1'),
    'key of another resource': await newKey('lkc-2'),
    'global key': await newKey(undefined),
    'external token': `Bearer ${external}`,
    'STS token': `Bearer ${await exchanged(external)}`,
    'partner token': `Bearer ${partner}`,
    'partner token without the scope': `Bearer ${await partnerToken(describing)}`,
    'nonsense token': 'Bearer nonsense',
  }
}

async function newKey(resourceId: string | undefined): Promise<string> {
  const resource =
    resourceId === undefined
      ? ({ kind: 'global' } as const)
      : ({
          kind: 'resource',
          resourceKind: 'kafka-cluster',
          id: resourceId,
          environment: undefined,
        } as const)
  const key = { ownerId: gateway.userId, displayName: '', resource }
  const { id, secret } = await gateway.directory.apiKeys.create(key, actor)
  return basic(id, secret)
}

async function newClient(scopes: readonly string[]): Promise<{ id: string; secret: string }> {
  const { partners, partnerClients } = gateway.directory
  const partner = await partners.create({ displayName: 'partner' }, actor)
  const { id, secret = '' } = await partnerClients.create(
    { partnerId: partner.id, displayName: 'client', scopes, authMethods: ['client_secret_basic'] },
    actor,
  )
  return { id, secret }
}

function call(path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`http://127.0.0.1:${gateway.port}${path}`, init)
}

function get(path: string, presented: Presented, fields: Record<string, string> = {}) {
  return call(path, { headers: { authorization: authorizations[presented], ...fields } })
}

function exchange(subjectToken: string): Promise<Response> {
  const body = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: subjectToken,
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    identity_pool_id: poolId,
  })
  return call('/sts/v1/oauth2/token', { method: 'POST', body })
}

async function tokenIn(response: Response): Promise<string> {
  const body = (await response.json()) as { access_token: string }
  expect(body).toMatchObject({ token_type: 'Bearer' })
  return body.access_token
}

async function exchanged(subjectToken: string): Promise<string> {
  return tokenIn(await exchange(subjectToken))
}

async function partnerToken({ id, secret }: { id: string; secret: string }): Promise<string> {
  const headers = { authorization: basic(id, secret) }
  const body = new URLSearchParams({ grant_type: 'client_credentials' })
  return tokenIn(await call('/oauth2/token', { method: 'POST', headers, body }))
}

describe.each(Object.entries(operations))('%s', (path, { opens }) => {
  test.each(presentable)('is opened by what it declares alone: %s', async (presented) => {
    const { status, headers } = await get(path, presented)
    const isScopeMissing = path === '/partner' && presented === 'partner token without the scope'
    const isOpened = (opens as readonly Presented[]).includes(presented)
    expect(status).toBe(isOpened ? 200 : isScopeMissing ? 403 : 401)
    if (!isOpened) expect(headers.get('www-authenticate')).not.toBeNull()
    if (isScopeMissing)
      expect(headers.get('www-authenticate')).toBe(
        'Bearer realm="gatehouse", error="insufficient_scope", scope="partner:create"',
      )
  })
})

test('every 401 to a token has the same body and challenge, whatever is wrong with it', async () => {
  const answers = await Promise.all(
    (['external token', 'partner token', 'nonsense token'] as const).map(async (presented) => {
      const response = await get('/sts', presented)
      const { error } = (await response.json()) as { error: Record<string, string> }
      return [response.headers.get('www-authenticate'), error['code'], error['details']]
    }),
  )
  expect(answers).toEqual(answers.map(() => answers[0]))
})

test('the upstream learns who stands behind a token, and never the token', async () => {
  const fields = { 'Confluent-Identity-Pool-Id': poolId }
  const seen = (await (await get('/external', 'external token', fields)).json()) as object
  expect(seen).toMatchObject({
    'gatehouse-principal-id': poolId,
    'gatehouse-principal-kind': 'identity-pool',
    'gatehouse-identity-pool-ids': poolId,
    'gatehouse-organization-id': gateway.organizationId,
    'gatehouse-credential-kind': 'external-access-token',
  })
  expect(seen).not.toHaveProperty('authorization')
  const partner = (await (await get('/partner', 'partner token')).json()) as object
  expect(partner).toMatchObject({ 'gatehouse-client-id': client.id })
  expect(partner).not.toHaveProperty('gatehouse-organization-id')
})

test('a pool that the caller names and does not exist closes the operation', async () => {
  const fields = { 'Confluent-Identity-Pool-Id': 'pool-other' }
  expect((await get('/external', 'external token', fields)).status).toBe(401)
})

test('a provider of our own issuer in an organization makes our tokens external to nobody', async () => {
  const { directory, organizationId } = gateway
  const own = { organizationId, displayName: 'own', issuer: publicOrigin }
  await directory.identityProviders.create(own, actor)
  expect((await get('/external', 'partner token')).status).toBe(401)
})

test('our services answer in the shape of OAuth, with the request id and no caching', async () => {
  const response = await exchange('nonsense')
  expect(response.status).toBe(400)
  expect(response.headers.get('cache-control')).toBe('no-store')
  expect(response.headers.get('x-request-id')).not.toBeNull()
  expect(await response.json()).toMatchObject({ error: 'invalid_grant' })
  const metadata = await call('/.well-known/oauth-authorization-server')
  expect(await metadata.json()).toMatchObject({ issuer: publicOrigin })
  const keySet = (await (await call('/oauth2/jwks.json')).json()) as { keys: unknown[] }
  expect(keySet.keys).toHaveLength(2)
  const large = new URLSearchParams({ grant_type: 'x'.repeat(70_000) })
  expect((await call('/oauth2/token', { method: 'POST', body: large })).status).toBe(413)
  const unauthorized = await call('/oauth2/token', {
    method: 'POST',
    headers: { authorization: basic(client.id, 'wrong') },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  })
  expect([unauthorized.status, unauthorized.headers.get('www-authenticate')]).toEqual([
    401,
    'Basic realm="gatehouse"',
  ])
})

test('tokens end with what they rest on: the pool, the client, and their revocation', async () => {
  const { identityPools, partnerClients } = gateway.directory
  const revoked = await partnerToken(client)
  const revocation = await call('/oauth2/revoke', {
    method: 'POST',
    headers: { authorization: basic(client.id, client.secret) },
    body: new URLSearchParams({ token: revoked }),
  })
  expect(revocation.status).toBe(200)
  const again = await call('/partner', { headers: { authorization: `Bearer ${revoked}` } })
  expect(again.status).toBe(401)
  expect((await get('/partner', 'partner token')).status).toBe(200)

  await partnerClients.disable(client.id, actor)
  expect((await get('/partner', 'partner token')).status).toBe(401)
  await identityPools.disable(poolId, actor)
  expect((await get('/sts', 'STS token')).status).toBe(401)
  expect((await get('/external', 'external token')).status).toBe(401)
  await identityPools.enable(poolId, actor)
  expect((await get('/sts', 'STS token')).status).toBe(200)
})
