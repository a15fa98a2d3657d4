import { spawn } from 'node:child_process'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startOpenIdIssuer, type OpenIdIssuer } from '../auth/keys/openid-issuer.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { recordingUpstream, type RecordingUpstream } from '../support/recording-upstream.ts'

const actor = { id: 'test' }
const cluster = 'lsrc-1'
const record = '{"type":"record","name":"Order","fields":[{"name":"id","type":"long"}]}'

let registry: RecordingUpstream
let idp: OpenIdIssuer
let gateway: TestGateway
let poolId: string
let key: { id: string; secret: string }

const security = [
  { 'resource-api-key': [] },
  { 'confluent-sts-access-token': [] },
  { 'external-access-token': [] },
  { oauth: ['partner:describe'] },
]

/** The few operations that are called here, twice: once behind a limit of one request. */
const paths = {
  '/subjects': { get: { security } },
  '/subjects/{subject}/versions': { post: { security } },
  '/subjects/{subject}/versions/{version}': { get: { security } },
  '/config/{subject}': { get: { security } },
}

beforeAll(async () => {
  registry = await recordingUpstream()
  idp = await startOpenIdIssuer()
  const group = {
    paths,
    upstreamUrl: registry.url,
    errorProfile: 'schema-registry',
    resource: { kind: 'schema-registry', id: { header: 'target-sr-cluster' } },
  }
  gateway = await startGateway({
    groups: [
      { ...group, name: 'registry', mount: '/registry' },
      { ...group, name: 'tight', mount: '/tight', limitClass: 'tight' },
    ],
    services: ['sts', 'oauth'],
    configuration: {
      publicOrigin: 'https://api.test',
      tokens: { identityProviders: { allowAddresses: ['127.0.0.1'], allowHttp: true } },
      limits: {
        unauthenticated: { requests: 10_000, windowSeconds: 3_600 },
        classes: { standard: {}, tight: { user: { requests: 1, windowSeconds: 3_600 } } },
      },
    },
  })
  const { directory, organizationId, userId } = gateway
  const trusted = { organizationId, displayName: 'idp', issuer: idp.issuer }
  const { id: providerId } = await directory.identityProviders.create(trusted, actor)
  const pool = { providerId, displayName: 'all', identityClaim: 'claims.sub', filter: 'true' }
  poolId = (await directory.identityPools.create(pool, actor)).id
  const resource = {
    kind: 'resource',
    resourceKind: 'schema-registry',
    id: cluster,
    environment: undefined,
  } as const
  key = await directory.apiKeys.create({ ownerId: userId, resource }, actor)
})
beforeEach(() => {
  registry.reset()
  registry.behave(({ url = '' }, outgoing) => {
    answer(url, outgoing)
  })
})
afterAll(async () => {
  await gateway.stop()
  await idp.stop()
  await registry.close()
})

/** A stub of a Schema Registry. */
function answer(url: string, outgoing: ServerResponse): void {
  const send = (status: number, type: string, body: string): void => {
    outgoing.writeHead(status, { 'Content-Type': type }).end(body)
  }
  const registryType = 'application/vnd.schemaregistry.v1+json'
  if (url.includes('/broken')) send(500, 'text/html', '<html>registry-host-7 broke</html>')
  else if (url.includes('/missing/'))
    send(404, registryType, '{"error_code":40401,"message":"Subject \'missing\' not found."}')
  else if (url.includes('/orders/')) send(200, registryType, '{"id":100001}')
  else send(200, registryType, '["orders"]')
}

type Outcome = {
  readonly value?: unknown
  readonly error?: { readonly status: number; readonly errorCode: number; readonly message: string }
}

/** Run the client in a process of its own. @param credentials as its configuration has them */
async function drive(
  credentials: object,
  calls: readonly (readonly unknown[])[],
  mount = '/registry',
): Promise<readonly Outcome[]> {
  const client = spawn(process.execPath, [join(import.meta.dirname, 'schemaregistry/client.mjs')], {
    stdio: ['pipe', 'pipe', 'inherit'],
    timeout: 20_000,
  })
  const baseURLs = [`http://127.0.0.1:${gateway.port}${mount}`]
  const configuration = { baseURLs, maxRetries: 0, ...credentials }
  client.stdin.end(JSON.stringify({ configuration, calls }))
  return (await json(client.stdout)) as readonly Outcome[]
}

/** The client names the cluster by itself only where it sends a token. */
function byKey(secret: string): object {
  return {
    basicAuthCredentials: { credentialsSource: 'USER_INFO', userInfo: `${key.id}:${secret}` },
    createAxiosDefaults: { headers: { 'target-sr-cluster': cluster } },
  }
}

function byToken(token: string, more: object = {}): object {
  const credentials = { credentialsSource: 'STATIC_TOKEN', token, logicalCluster: cluster, ...more }
  return { bearerAuthCredentials: credentials }
}

function byOAuth(issuerEndpointUrl: string, client: object, more: object = {}): object {
  const credentials = { credentialsSource: 'OAUTHBEARER', issuerEndpointUrl, ...client, ...more }
  return { bearerAuthCredentials: { logicalCluster: cluster, ...credentials } }
}

function ownUrl(path: string): string {
  return `http://127.0.0.1:${gateway.port}${path}`
}

async function stsToken(): Promise<string> {
  const response = await fetch(ownUrl('/sts/v1/oauth2/token'), {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: await idp.issueToken(),
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      identity_pool_id: poolId,
    }),
  })
  return ((await response.json()) as { access_token: string }).access_token
}

async function partnerClient(): Promise<object> {
  const { partners, partnerClients } = gateway.directory
  const { id: partnerId } = await partners.create({ displayName: 'partner' }, actor)
  const { id, secret } = await partnerClients.create(
    {
      partnerId,
      displayName: 'client',
      scopes: ['partner:describe'],
      authMethods: ['client_secret_basic'],
    },
    actor,
  )
  return { clientId: id, clientSecret: secret, scope: 'partner:describe' }
}

/** Every way of the client to say who it is that the gateway knows. */
const ways: Readonly<Record<string, () => Promise<object>>> = {
  'an API key': () => Promise.resolve(byKey(key.secret)),
  'a token of the token exchange': async () => byToken(await stsToken()),
  'a token of an identity provider': async () =>
    byToken(await idp.issueToken(), { identityPoolId: poolId }),
  'a token of an identity provider that it fetches': () => {
    const client = { clientId: 'robot', clientSecret: 'robot-secret', scope: 'openid' }
    return Promise.resolve(byOAuth(`${idp.issuer}/token`, client, { identityPoolId: [poolId] }))
  },
  "a partner's token that it fetches": async () =>
    byOAuth(ownUrl('/oauth2/token'), await partnerClient()),
}

describe.each(Object.entries(ways))('with %s', (_name, credentials) => {
  test('the client registers a schema, and reads what there is', async () => {
    const schema = { schemaType: 'AVRO', schema: record }
    const calls = [['register', 'orders', schema], ['getAllSubjects']]
    expect(await drive(await credentials(), calls)).toEqual([
      { value: 100_001 },
      { value: ['orders'] },
    ])
    const [registered, listed] = registry.requests
    expect(registered).toMatchObject({
      method: 'POST',
      url: '/subjects/orders/versions?normalize=false',
    })
    expect(JSON.parse(String(registered?.body))).toMatchObject(schema)
    for (const request of [registered, listed]) {
      expect(request?.headers).toMatchObject({
        'content-type': 'application/vnd.schemaregistry.v1+json',
        'target-sr-cluster': cluster,
      })
      expect(request?.headers).not.toHaveProperty('authorization')
    }
  })

  test("it reads the registry's own errors, and those of the gateway in their place", async () => {
    const calls = [
      ['getLatestSchemaMetadata', 'missing'],
      ['getCompatibility', 'broken'],
    ]
    const [missing, broken] = await drive(await credentials(), calls)
    expect(missing?.error).toMatchObject({ status: 404, errorCode: 40401 })
    expect(missing?.error?.message).toContain("Subject 'missing' not found.")
    expect(broken?.error?.errorCode).toBe(broken?.error?.status)
    expect(broken?.error?.status).toBeGreaterThanOrEqual(500)
    expect(broken?.error?.message).not.toContain('registry-host-7')
  })
})

test('a refused credential is an error of the registry with the code 401', async () => {
  for (const credentials of [byKey('wrong'), byToken('nonsense')]) {
    const [refused] = await drive(credentials, [['getAllSubjects']])
    expect(refused?.error).toMatchObject({ status: 401, errorCode: 401 })
  }
  expect(registry.requests).toHaveLength(0)
})

test('a key of another cluster opens nothing', async () => {
  const createAxiosDefaults = { headers: { 'target-sr-cluster': 'lsrc-2' } }
  const credentials = { ...byKey(key.secret), createAxiosDefaults }
  const [refused] = await drive(credentials, [['getAllSubjects']])
  expect(refused?.error).toMatchObject({ status: 401, errorCode: 401 })
})

test('an exhausted limit is an error of the registry with the code 429', async () => {
  const calls = [['getAllSubjects'], ['getAllSubjects']]
  const [first, second] = await drive(byKey(key.secret), calls, '/tight')
  expect(first).toEqual({ value: ['orders'] })
  expect(second?.error).toMatchObject({ status: 429, errorCode: 429 })
})
