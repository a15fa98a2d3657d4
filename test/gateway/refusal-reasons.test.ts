import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startOpenIdIssuer, type OpenIdIssuer } from '../auth/keys/openid-issuer.ts'
import { makeKey, mint } from '../auth/tokens/minting.ts'
import { basic } from '../support/basic.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { until } from '../support/until.ts'

const publicOrigin = 'https://api.test'
const actor = { id: 'test' }

let idp: OpenIdIssuer
let gateway: TestGateway
let poolId: string

beforeAll(async () => {
  idp = await startOpenIdIssuer()
  gateway = await startGateway({
    groups: [],
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
  const { directory, organizationId } = gateway
  const provider = { organizationId, displayName: 'idp', issuer: idp.issuer }
  const { id: providerId } = await directory.identityProviders.create(provider, actor)
  const pool = { providerId, displayName: 'p', identityClaim: 'claims.sub', filter: 'true' }
  poolId = (await directory.identityPools.create(pool, actor)).id
})
afterAll(async () => {
  await gateway.stop()
  await idp.stop()
})

type Form = Readonly<Record<string, string>>

/** Post a form. Resolves with the error that the client reads, and the reason that is logged. */
async function refusedAs(path: string, form: Form, fields: Form = {}): Promise<readonly unknown[]> {
  const response = await fetch(`http://127.0.0.1:${gateway.port}${path}`, {
    method: 'POST',
    headers: fields,
    body: new URLSearchParams(form),
  })
  const { error } = (await response.json()) as { error?: string }
  const requestId = response.headers.get('x-request-id')
  const find = () => gateway.log.find((record) => record['requestId'] === requestId)
  await until(() => find() !== undefined)
  return [error, find()?.['reason']]
}

describe('the log says why the token exchange refuses', () => {
  const request = (changes: Form): Form => ({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    identity_pool_id: poolId,
    ...changes,
  })
  const exchange = (changes: Form) => refusedAs('/sts/v1/oauth2/token', request(changes))

  test('a subject token, which the client is told in the same words for every reason', async () => {
    const token = await idp.issueToken()
    const stranger = mint(makeKey('ES256', 'k1'))
    const ofNobody: Form = { subject_token: token, identity_pool_id: 'pool-none' }
    expect(await exchange({ subject_token: 'nonsense' })).toEqual([
      'invalid_grant',
      'not-a-compact-jws',
    ])
    expect(await exchange({ subject_token: stranger })).toEqual(['invalid_grant', 'unknown-issuer'])
    expect(await exchange({ subject_token: `${token.slice(0, -8)}AAAAAAAA` })).toEqual([
      'invalid_grant',
      expect.stringMatching(/^(?:signature|not-canonical-base64url)$/),
    ])
    expect(await exchange(ofNobody)).toEqual(['invalid_grant', 'unknown-pool'])
    expect(JSON.stringify(gateway.log)).not.toContain(token.slice(-40))
  })

  test('the request itself', async () => {
    expect(await exchange({})).toEqual([
      'invalid_request',
      'invalid_request: The field subject_token is missing.',
    ])
    expect(await exchange({ subject_token: 'x', scope: 'all' })).toEqual([
      'invalid_scope',
      'invalid_scope: Tokens have no scope here: leave scope out.',
    ])
  })
})

describe('the log says why the partners’ token endpoint refuses', () => {
  const grant = { grant_type: 'client_credentials' }
  const token = (form: Form, fields: Form = {}) =>
    refusedAs('/oauth2/token', { ...grant, ...form }, fields)

  async function newClient(changes: object = {}) {
    const { partners, partnerClients } = gateway.directory
    const partner = await partners.create({ displayName: 'partner' }, actor)
    const authMethods = ['client_secret_basic'] as const
    const scopes = ['partner:describe']
    const { id, secret = '' } = await partnerClients.create(
      { partnerId: partner.id, displayName: 'client', scopes, authMethods, ...changes },
      actor,
    )
    return { id, secret, authorization: basic(id, secret) }
  }

  test('a client with a secret', async () => {
    const client = await newClient()
    const wrong = { authorization: basic(client.id, 'of nobody at all') }
    const unknown = { authorization: basic(`client-${'0'.repeat(20)}`, client.secret) }
    const byPost = { client_id: client.id, client_secret: client.secret }
    expect(await token({})).toEqual(['invalid_client', 'no-client'])
    expect(await token({}, wrong)).toEqual(['invalid_client', 'wrong-secret'])
    expect(await token({}, unknown)).toEqual(['invalid_client', 'unknown-client'])
    expect(await token(byPost)).toEqual(['invalid_client', 'method-not-registered'])
    await gateway.directory.partnerClients.disable(client.id, actor)
    expect(await token({}, client)).toEqual(['invalid_client', 'client-disabled'])
    expect(JSON.stringify(gateway.log)).not.toContain(client.secret)
    expect(JSON.stringify(gateway.log)).not.toContain('of nobody at all')
  })

  test('a client that signs', async () => {
    const key = makeKey('ES256', 'k1')
    const jwks = { keys: [key.jwk] }
    const { id } = await newClient({ authMethods: ['private_key_jwt'], jwks })
    const present = (changes: { header?: object; claims?: object } = {}, form: Form = {}) => {
      const now = Math.floor(Date.now() / 1_000)
      const usual = { iss: id, sub: id, aud: publicOrigin, jti: randomUUID() }
      const claims = { ...usual, iat: now, exp: now + 60, ...changes.claims }
      return token({
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: mint(key, { ...changes, claims }),
        ...form,
      })
    }
    const once = { claims: { jti: 'once' } }
    expect(await present(once)).toEqual([undefined, undefined])
    expect(await present(once)).toEqual(['invalid_client', 'assertion-replayed'])
    expect(await present({ claims: { aud: 'https://other.test' } })).toEqual([
      'invalid_client',
      'audience',
    ])
    expect(await present({ header: { kid: 'k2' } })).toEqual(['invalid_client', 'unknown-kid'])
    expect(await present({ claims: { jti: '' } })).toEqual(['invalid_client', 'claim-invalid'])
    const other = await newClient()
    expect(await present({}, { client_id: other.id })).toEqual(['invalid_client', 'other-client'])
  })

  test('the request itself', async () => {
    const client = await newClient()
    expect(await token({ scope: 'partner:delete' }, client)).toEqual([
      'invalid_scope',
      'invalid_scope: The client is not granted the requested scope.',
    ])
    expect(await token({ grant_type: 'password' }, client)).toEqual([
      'unsupported_grant_type',
      'unsupported_grant_type: The grant type must be client_credentials.',
    ])
    expect(await refusedAs('/oauth2/introspect', { token: 'x' }, client)).toEqual([
      'invalid_client',
      'invalid_client: The caller may not introspect tokens.',
    ])
  })
})
