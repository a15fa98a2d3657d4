import { afterAll, beforeAll, expect, test } from 'vitest'
import { startOpenIdIssuer, type OpenIdIssuer } from '../../auth/keys/openid-issuer.ts'
import { call, type ApiAnswer, type ApiRequest } from '../../support/api.ts'
import { startGateway, type TestGateway } from '../../support/gateway.ts'
import { crnOf } from '../support/crn-of.ts'

let idp: OpenIdIssuer
let gateway: TestGateway
beforeAll(async () => {
  idp = await startOpenIdIssuer()
  gateway = await startGateway({
    groups: [],
    services: ['sts', 'iam'],
    configuration: {
      publicOrigin: 'https://api.example.com',
      tokens: { identityProviders: { allowAddresses: ['127.0.0.1'], allowHttp: true } },
    },
    limits: { user: { requests: 100_000, windowSeconds: 60 } },
  })
})
afterAll(async () => {
  await gateway.stop()
  await idp.stop()
})

function ask(operationId: string, request: ApiRequest = {}): Promise<ApiAnswer> {
  return call(gateway, operationId, request)
}

/** A provider and a pool that may do everything, and a token of ours for the pool. */
async function exchanged(): Promise<{
  readonly provider: string
  readonly pool: string
  readonly authorization: string
}> {
  const provider = await ask('createIamV2IdentityProvider', {
    body: { display_name: 'idp', issuer: idp.issuer },
  })
  const path = { provider_id: provider.body.id }
  const described = { display_name: 'all', identity_claim: 'claims.sub', filter: 'true' }
  const pool = await ask('createIamV2IdentityPool', { path, body: described })
  const binding = {
    principal: `User:${pool.body.id}`,
    role_name: 'OrganizationAdmin',
    crn_pattern: crnOf(gateway.organizationId),
  }
  expect((await ask('createIamV2RoleBinding', { body: binding })).status).toBe(201)
  const response = await fetch(`http://127.0.0.1:${gateway.port}/sts/v1/oauth2/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: await idp.issueToken(),
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      identity_pool_id: pool.body.id,
    }),
  })
  const { access_token: token } = (await response.json()) as { access_token: string }
  return {
    provider: provider.body.id,
    pool: pool.body.id,
    authorization: `Bearer ${token}`,
  }
}

test('a pool whose role is bound over the API manages the organization with an STS token', async () => {
  const { provider, authorization } = await exchanged()
  const made = await ask('createIamV2ServiceAccount', {
    body: { display_name: 'by a pool' },
    authorization,
  })
  expect(made.status).toBe(201)
  await ask('deleteIamV2IdentityProvider', { path: { id: provider } })
})

test('what deletes a pool, or the provider that it is in, takes its tokens along at once', async () => {
  for (const deleted of ['pool', 'provider'] as const) {
    const { provider, pool, authorization } = await exchanged()
    expect((await ask('listIamV2Users', { authorization })).status).toBe(200)
    const inProvider = { path: { provider_id: provider, id: pool } }
    const itself = { path: { id: provider } }
    if (deleted === 'pool') await ask('deleteIamV2IdentityPool', inProvider)
    else await ask('deleteIamV2IdentityProvider', itself)
    expect((await ask('listIamV2Users', { authorization })).status, deleted).toBe(401)
    if (deleted === 'pool') await ask('deleteIamV2IdentityProvider', itself)
  }
})

test('what disables a pool, or its provider, has its tokens refused until it is enabled again', async () => {
  const { provider, pool, authorization } = await exchanged()
  const itself = { path: { id: provider } }
  for (const [operation, target] of [
    ['updateIamV2IdentityPool', { path: { provider_id: provider, id: pool } }],
    ['updateIamV2IdentityProvider', itself],
  ] as const) {
    const answered: number[] = []
    for (const state of ['DISABLED', 'ENABLED']) {
      const changed = await ask(operation, { ...target, body: { state } })
      expect(changed.body['state']).toBe(state)
      answered.push((await ask('listIamV2Users', { authorization })).status)
    }
    expect(answered, operation).toEqual([401, 200])
  }
  await ask('deleteIamV2IdentityProvider', itself)
})
