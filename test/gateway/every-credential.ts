import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { startOpenIdIssuer } from '../auth/keys/openid-issuer.ts'
import { makeKey, mint } from '../auth/tokens/minting.ts'
import { basic } from '../support/basic.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { recordingUpstream, type RecordingUpstream } from '../support/recording-upstream.ts'

/** Who we are in the tokens that are issued here. */
export const publicOrigin = 'https://api.test'

const actor = { id: 'test' }

/** What is presented. Each but the last three is valid somewhere. */
export const presentable = [
  'nothing',
  'cloud key',
  'resource key',
  'key of another resource',
  'global key',
  'external token',
  'external token of another provider',
  'STS token',
  'partner token',
  'partner token without the scope',
  'ID token',
  'logout token',
  'internal assertion',
  'token of a provider that nobody trusts',
  'cloud key with a wrong secret',
  'nonsense token',
] as const

export type Presented = (typeof presentable)[number]

/** A gateway with operations of every class, and everything that can be presented to it. */
export type House = {
  readonly gateway: TestGateway
  readonly upstream: RecordingUpstream
  /** Values of the Authorization field; undefined: none is sent. */
  readonly authorizations: Readonly<Record<Presented, string | undefined>>
  readonly poolId: string
  readonly client: { readonly id: string; readonly secret: string }
  call(path: string, init?: RequestInit): Promise<Response>
  get(path: string, presented: Presented, fields?: Record<string, string>): Promise<Response>
  exchange(subjectToken: string): Promise<Response>
  partnerToken(client: { readonly id: string; readonly secret: string }): Promise<string>
  stop(): Promise<void>
}

/** Open one, with an operation `GET path` for each security; a path may hold `{id}`, of a cluster. */
export async function openHouse(securities: Readonly<Record<string, unknown>>): Promise<House> {
  const upstream = await recordingUpstream()
  upstream.behave((incoming, outgoing) => {
    outgoing.end(JSON.stringify(incoming.headers))
  })
  const idp = await startOpenIdIssuer()
  const signer = await startSigner()
  const paths = Object.fromEntries(
    Object.entries(securities).map(([path, security]) => [path, { get: { security } }]),
  )
  const gateway = await startGateway({
    groups: [
      {
        name: 'all/v1',
        paths,
        resource: { kind: 'kafka-cluster', id: { path: 'id' } },
        upstreamUrl: upstream.url,
      },
      {
        name: 'vouched/v1',
        mount: '/vouched',
        paths: { '/things': { get: {} } },
        upstreamUrl: upstream.url,
        upstream: { assertionAudience: 'vouched' },
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
  const call = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`http://127.0.0.1:${gateway.port}${path}`, init)
  const maker = createMaker(gateway, call)
  const poolId = await maker.pool({ issuer: idp.issuer }, 'true')
  await maker.pool({ issuer: signer.issuer, jwksUri: `${signer.issuer}/keys` }, signer.filter)
  const client = await maker.client(['partner:create', 'partner:describe'])
  const external = await idp.issueToken()
  const exchange = (subjectToken: string): Promise<Response> => maker.exchange(subjectToken, poolId)
  const describing = await maker.client(['partner:describe'])
  const authorizations = {
    nothing: undefined,
    'cloud key': gateway.key.authorization,
    'resource key': await maker.key('lkc-1'),
    'key of another resource': await maker.key('lkc-2'),
    'global key': await maker.key(undefined),
    'external token': `Bearer ${external}`,
    'external token of another provider': `Bearer ${signer.accessToken()}`,
    'STS token': `Bearer ${await tokenIn(await exchange(external))}`,
    'partner token': `Bearer ${await maker.partnerToken(client)}`,
    'partner token without the scope': `Bearer ${await maker.partnerToken(describing)}`,
    'ID token': `Bearer ${signer.idToken()}`,
    'logout token': `Bearer ${signer.logoutToken()}`,
    'internal assertion': `Bearer ${await assertionOf(gateway, upstream, call)}`,
    'token of a provider that nobody trusts': `Bearer ${signer.strangersToken()}`,
    'cloud key with a wrong secret': basic(gateway.key.id, 'wrong'),
    'nonsense token': 'Bearer nonsense',
  }
  return {
    gateway,
    upstream,
    authorizations,
    poolId,
    client,
    call,
    get: (path, presented, fields = {}) => {
      const authorization = authorizations[presented]
      const headers = { ...(authorization === undefined ? {} : { authorization }), ...fields }
      return call(path, { headers })
    },
    exchange,
    partnerToken: (of) => maker.partnerToken(of),
    async stop() {
      await gateway.stop()
      await idp.stop()
      await signer.stop()
      await upstream.close()
    },
  }
}

/** Makes what is presented. */
function createMaker(
  { directory, organizationId, userId }: TestGateway,
  call: (path: string, init: RequestInit) => Promise<Response>,
) {
  return {
    async pool(of: { issuer: string; jwksUri?: string }, filter: string): Promise<string> {
      const provider = { organizationId, displayName: of.issuer, ...of }
      const { id: providerId } = await directory.identityProviders.create(provider, actor)
      const pool = { providerId, displayName: 'p', identityClaim: 'claims.sub', filter }
      return (await directory.identityPools.create(pool, actor)).id
    },
    async key(resourceId: string | undefined): Promise<string> {
      const opened = { resourceKind: 'kafka-cluster', id: resourceId ?? '', environment: undefined }
      const resource =
        resourceId === undefined
          ? ({ kind: 'global' } as const)
          : ({ kind: 'resource', ...opened } as const)
      const key = { ownerId: userId, displayName: '', resource }
      const { id, secret } = await directory.apiKeys.create(key, actor)
      return basic(id, secret)
    },
    async client(scopes: readonly string[]): Promise<{ id: string; secret: string }> {
      const partner = await directory.partners.create({ displayName: 'partner' }, actor)
      const authMethods = ['client_secret_basic'] as const
      const { id, secret = '' } = await directory.partnerClients.create(
        { partnerId: partner.id, displayName: 'client', scopes, authMethods },
        actor,
      )
      return { id, secret }
    },
    exchange(subjectToken: string, poolId: string): Promise<Response> {
      const body = new URLSearchParams({
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        subject_token: subjectToken,
        subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
        identity_pool_id: poolId,
      })
      return call('/sts/v1/oauth2/token', { method: 'POST', body })
    },
    async partnerToken({ id, secret }: { id: string; secret: string }): Promise<string> {
      const headers = { authorization: basic(id, secret) }
      const body = new URLSearchParams({ grant_type: 'client_credentials' })
      return tokenIn(await call('/oauth2/token', { method: 'POST', headers, body }))
    },
  }
}

async function tokenIn(response: Response): Promise<string> {
  const { access_token: token } = (await response.json()) as { access_token?: string }
  if (token === undefined) throw new Error('There is no token in the answer')
  return token
}

/** What the gateway says to an upstream, which must be no credential. */
async function assertionOf(
  { key }: TestGateway,
  upstream: RecordingUpstream,
  call: (path: string, init: RequestInit) => Promise<Response>,
): Promise<string> {
  await call('/vouched/things', { headers: { authorization: key.authorization } })
  const assertion = upstream.requests.at(-1)?.headers['gatehouse-assertion']
  if (typeof assertion !== 'string') throw new Error('The upstream got no assertion')
  return assertion
}

/** A provider that publishes one key, and signs by it all that providers sign. */
async function startSigner() {
  const [key, strangersKey] = [makeKey('ES256', 'k1'), makeKey('ES256', 'k1')]
  const server = createServer((_request, response) => {
    response.end(JSON.stringify({ keys: [key.jwk] }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const iat = Math.floor(Date.now() / 1_000)
  const usual = { iss: issuer, iat, exp: iat + 3_600 }
  return {
    issuer,
    /** As pools ought to be written: for tokens that are for us. */
    filter: 'claims.aud == "orders"',
    accessToken: () =>
      mint(key, { header: { typ: 'at+jwt' }, claims: { ...usual, aud: 'orders', scope: 'a' } }),
    idToken: () => mint(key, { claims: { ...usual, aud: 'an-app', nonce: 'n', auth_time: iat } }),
    logoutToken: () => {
      const events = { 'http://schemas.openid.net/event/backchannel-logout': {} }
      const claims = { ...usual, aud: 'orders', events }
      return mint(key, { header: { typ: 'logout+jwt' }, claims })
    },
    strangersToken: () =>
      mint(strangersKey, { claims: { ...usual, iss: 'https://stranger.test', aud: 'orders' } }),
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => {
          resolve()
        })
        server.closeAllConnections()
      }),
  }
}
