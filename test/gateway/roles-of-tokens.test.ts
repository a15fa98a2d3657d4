import { afterAll, beforeAll, expect, test } from 'vitest'
import { startOpenIdIssuer, type OpenIdIssuer } from '../auth/keys/openid-issuer.ts'
import { basic } from '../support/basic.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { recordingUpstream, type RecordingUpstream } from '../support/recording-upstream.ts'

const actor = { id: 'test' }

let upstream: RecordingUpstream
let idp: OpenIdIssuer
let gateway: TestGateway
let providerId: string

beforeAll(async () => {
  upstream = await recordingUpstream()
  upstream.behave((_incoming, outgoing) => {
    outgoing.end('{}')
  })
  idp = await startOpenIdIssuer()
  const paths = {
    '/external': { get: { security: [{ 'external-access-token': [] }] } },
    '/sts': { get: { security: [{ 'confluent-sts-access-token': [] }] } },
    '/scoped': { get: { security: [{ oauth: ['partner:create'] }] } },
    '/either': { get: { security: [{ oauth: [] }, { oauth: ['partner:create'] }] } },
  }
  gateway = await startGateway({
    groups: [{ name: 'all/v1', authorization: 'roles', paths, upstreamUrl: upstream.url }],
    services: ['sts', 'oauth'],
    configuration: {
      publicOrigin: 'https://api.test',
      tokens: { identityProviders: { allowAddresses: ['127.0.0.1'], allowHttp: true } },
    },
  })
  const provider = {
    organizationId: gateway.organizationId,
    displayName: 'idp',
    issuer: idp.issuer,
  }
  providerId = (await gateway.directory.identityProviders.create(provider, actor)).id
})
afterAll(async () => {
  await gateway.stop()
  await idp.stop()
  await upstream.close()
})

async function newPool(): Promise<string> {
  const pool = { providerId, displayName: 'p', identityClaim: 'claims.sub', filter: 'true' }
  return (await gateway.directory.identityPools.create(pool, actor)).id
}

function call(path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`http://127.0.0.1:${gateway.port}${path}`, init)
}

async function statusOf(path: string, token: string, pools?: string): Promise<number> {
  const field = pools === undefined ? {} : { 'Confluent-Identity-Pool-Id': pools }
  return (await call(path, { headers: { authorization: `Bearer ${token}`, ...field } })).status
}

async function tokenOf(path: string, form: Record<string, string>, headers = {}): Promise<string> {
  const response = await call(path, { method: 'POST', headers, body: new URLSearchParams(form) })
  return ((await response.json()) as { access_token: string }).access_token
}

test('whoever presents a token has the roles of the pools that it names, and of no other', async () => {
  const [bound, other] = [await newPool(), await newPool()]
  const external = await idp.issueToken()
  const exchanged = await tokenOf('/sts/v1/oauth2/token', {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: external,
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    identity_pool_id: bound,
  })
  const statuses = (): Promise<readonly number[]> =>
    Promise.all([
      statusOf('/external', external, bound),
      statusOf('/external', external, other),
      statusOf('/external', external, `${other},${bound}`),
      statusOf('/sts', exchanged),
    ])
  expect(await statuses()).toEqual([403, 403, 403, 403])
  const { organizationId, directory } = gateway
  const crnPattern = `crn://confluent.cloud/organization=${organizationId}`
  const binding = { organizationId, role: 'OrganizationAdmin', crnPattern, principalId: bound }
  const { id } = await directory.roleBindings.create(binding, actor)
  expect(await statuses()).toEqual([200, 403, 200, 200])
  await directory.roleBindings.delete(id, actor)
  expect(await statuses()).toEqual([403, 403, 403, 403])
})

test('a partner passes where it was asked for a scope, and nowhere else', async () => {
  const { partners, partnerClients } = gateway.directory
  const partner = await partners.create({ displayName: 'partner' }, actor)
  const client = { partnerId: partner.id, displayName: 'c', scopes: ['partner:create'] }
  const { id, secret = '' } = await partnerClients.create(
    { ...client, authMethods: ['client_secret_basic'] },
    actor,
  )
  const form = { grant_type: 'client_credentials' }
  const token = await tokenOf('/oauth2/token', form, { authorization: basic(id, secret) })
  expect(await statusOf('/scoped', token)).toBe(200)
  expect(await statusOf('/either', token)).toBe(403)
})
