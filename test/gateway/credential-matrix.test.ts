import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { basic } from '../support/basic.ts'
import {
  openHouse,
  presentable,
  publicOrigin,
  type House,
  type Presented,
} from './every-credential.ts'

const actor = { id: 'test' }

const cloud = { 'cloud-api-key': [] }
const resource = { 'resource-api-key': [] }
const globalKey = { 'global-api-key': [] }
const sts = { 'confluent-sts-access-token': [] }
const external = { 'external-access-token': [] }
const partner = { oauth: ['partner:create'] }

type OperationClass = {
  /** As the document declares it: alternatives, each with all that it asks for. */
  readonly security: readonly object[]
  /** What alone opens it. */
  readonly opens: readonly Presented[]
}

const externalTokens = ['external token', 'external token of another provider'] as const

/** Every class of operation. Whatever is presented and not named here is refused. */
const operations: Readonly<Record<string, OperationClass>> = {
  '/cloud': { security: [cloud], opens: ['cloud key'] },
  '/resource/{id}': { security: [resource], opens: ['resource key'] },
  '/global': { security: [globalKey], opens: ['global key'] },
  '/sts': { security: [sts], opens: ['STS token'] },
  '/external': { security: [external], opens: externalTokens },
  '/partner': { security: [partner], opens: ['partner token'] },
  // Nobody is asked, and nothing is read.
  '/anybody': { security: [], opens: presentable },
  '/anybody-or-cloud': { security: [{}, cloud], opens: ['nothing', 'cloud key'] },
  // Alternatives are OR.
  '/keys/{id}': {
    security: [cloud, resource, globalKey],
    opens: ['cloud key', 'resource key', 'global key'],
  },
  '/cloud-or-sts': { security: [cloud, sts], opens: ['cloud key', 'STS token'] },
  '/sts-or-external': { security: [sts, external], opens: ['STS token', ...externalTokens] },
  '/cloud-or-partner': { security: [cloud, partner], opens: ['cloud key', 'partner token'] },
  '/every/{id}': {
    security: [cloud, resource, globalKey, sts, external, partner],
    opens: [
      ...(['cloud key', 'resource key', 'global key', 'STS token', 'partner token'] as const),
      ...externalTokens,
    ],
  },
  // Members are AND, and one request carries one credential of one kind.
  '/cloud-and-external': { security: [{ ...cloud, ...external }], opens: [] },
  '/sts-and-external': { security: [{ ...sts, ...external }], opens: [] },
  '/cloud-and-external-or-sts': {
    security: [{ ...cloud, ...external }, sts],
    opens: ['STS token'],
  },
}

let house: House

beforeAll(async () => {
  house = await openHouse(
    Object.fromEntries(Object.entries(operations).map(([path, { security }]) => [path, security])),
  )
})
afterAll(() => house.stop())

/** A token that is good, of a client that may not do this. */
function isScopeMissing({ security }: OperationClass, presented: Presented): boolean {
  return security.includes(partner) && presented === 'partner token without the scope'
}

describe.each(Object.entries(operations))('%s', (template, operation) => {
  const path = template.replace('{id}', 'lkc-1')

  test('is opened by what it declares alone', async () => {
    const { upstream } = house
    const expected = Object.fromEntries(
      presentable.map((presented) => {
        const refusal = isScopeMissing(operation, presented) ? 403 : 401
        return [presented, operation.opens.includes(presented) ? 200 : refusal]
      }),
    )
    const forwarded = upstream.requests.length
    const statuses: Record<string, number> = {}
    for (const presented of presentable) {
      const response = await house.get(path, presented)
      statuses[presented] = response.status
      await response.arrayBuffer()
      if (response.status !== 200)
        expect(response.headers.get('www-authenticate'), presented).not.toBeNull()
    }
    expect(statuses).toEqual(expected)
    // What is refused never reaches the upstream.
    expect(upstream.requests.length - forwarded).toBe(operation.opens.length)
  })
})

test('a scope that is missing is told, and which', async () => {
  const response = await house.get('/partner', 'partner token without the scope')
  expect(response.headers.get('www-authenticate')).toBe(
    'Bearer realm="gatehouse", error="insufficient_scope", scope="partner:create"',
  )
})

test('no token but an external one for us is exchanged, ours above all', async () => {
  for (const presented of presentable) {
    const [scheme, token = ''] = house.authorizations[presented]?.split(' ') ?? []
    if (scheme !== 'Bearer') continue
    const response = await house.exchange(token)
    const isGood = presented === 'external token'
    expect([presented, response.status]).toEqual([presented, isGood ? 200 : 400])
    if (!isGood) expect(await response.json()).toMatchObject({ error: 'invalid_grant' })
  }
})

test('a token counts in the Authorization field alone', async () => {
  const token = house.authorizations['STS token']?.slice('Bearer '.length) ?? ''
  const places: readonly (readonly [string, RequestInit])[] = [
    [`/sts?access_token=${token}`, {}],
    ['/sts', { headers: { cookie: `access_token=${token}` } }],
    ['/sts', { headers: { 'x-access-token': token, 'proxy-authorization': `Bearer ${token}` } }],
  ]
  for (const [path, init] of places) {
    const response = await house.call(path, init)
    expect(response.status).toBe(401)
    expect(await response.json()).toMatchObject({ error: { code: 'AUTHENTICATION_REQUIRED' } })
  }
  expect(JSON.stringify(house.gateway.log)).not.toContain(token)
})

test('every 401 to a token has the same body and challenge, whatever is wrong with it', async () => {
  const answers = await Promise.all(
    (['external token', 'partner token', 'nonsense token'] as const).map(async (presented) => {
      const response = await house.get('/sts', presented)
      const { error } = (await response.json()) as { error: Record<string, string> }
      return [response.headers.get('www-authenticate'), error['code'], error['details']]
    }),
  )
  expect(answers).toEqual(answers.map(() => answers[0]))
})

test('the upstream learns who stands behind a token, and never the token', async () => {
  const fields = { 'Confluent-Identity-Pool-Id': house.poolId }
  const seen = (await (await house.get('/external', 'external token', fields)).json()) as object
  expect(seen).toMatchObject({
    'gatehouse-principal-id': house.poolId,
    'gatehouse-principal-kind': 'identity-pool',
    'gatehouse-identity-pool-ids': house.poolId,
    'gatehouse-organization-id': house.gateway.organizationId,
    'gatehouse-credential-kind': 'external-access-token',
  })
  expect(seen).not.toHaveProperty('authorization')
  const partner = (await (await house.get('/partner', 'partner token')).json()) as object
  expect(partner).toMatchObject({ 'gatehouse-client-id': house.client.id })
  expect(partner).not.toHaveProperty('gatehouse-organization-id')
})

test('a pool that the caller names and does not exist closes the operation', async () => {
  const fields = { 'Confluent-Identity-Pool-Id': 'pool-other' }
  expect((await house.get('/external', 'external token', fields)).status).toBe(401)
})

test('a provider of our own issuer in an organization makes our tokens external to nobody', async () => {
  const { directory, organizationId } = house.gateway
  const own = { organizationId, displayName: 'own', issuer: publicOrigin }
  await directory.identityProviders.create(own, actor)
  expect((await house.get('/external', 'partner token')).status).toBe(401)
})

test('our services answer in the shape of OAuth, with the request id and no caching', async () => {
  const response = await house.exchange('nonsense')
  expect(response.status).toBe(400)
  expect(response.headers.get('cache-control')).toBe('no-store')
  expect(response.headers.get('x-request-id')).not.toBeNull()
  expect(await response.json()).toMatchObject({ error: 'invalid_grant' })
  const metadata = await house.call('/.well-known/oauth-authorization-server')
  expect(await metadata.json()).toMatchObject({ issuer: publicOrigin })
  const keySet = (await (await house.call('/oauth2/jwks.json')).json()) as { keys: unknown[] }
  expect(keySet.keys).toHaveLength(2)
  const large = new URLSearchParams({ grant_type: 'x'.repeat(70_000) })
  expect((await house.call('/oauth2/token', { method: 'POST', body: large })).status).toBe(413)
  const unauthorized = await house.call('/oauth2/token', {
    method: 'POST',
    headers: { authorization: basic(house.client.id, 'wrong') },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  })
  expect([unauthorized.status, unauthorized.headers.get('www-authenticate')]).toEqual([
    401,
    'Basic realm="gatehouse"',
  ])
})

test('tokens end with what they rest on: the pool, the client, and their revocation', async () => {
  const { identityPools, partnerClients } = house.gateway.directory
  const revoked = await house.partnerToken(house.client)
  const revocation = await house.call('/oauth2/revoke', {
    method: 'POST',
    headers: { authorization: basic(house.client.id, house.client.secret) },
    body: new URLSearchParams({ token: revoked }),
  })
  expect(revocation.status).toBe(200)
  const again = await house.call('/partner', { headers: { authorization: `Bearer ${revoked}` } })
  expect(again.status).toBe(401)
  expect((await house.get('/partner', 'partner token')).status).toBe(200)

  await partnerClients.disable(house.client.id, actor)
  expect((await house.get('/partner', 'partner token')).status).toBe(401)
  await identityPools.disable(house.poolId, actor)
  expect((await house.get('/sts', 'STS token')).status).toBe(401)
  expect((await house.get('/external', 'external token')).status).toBe(401)
  await identityPools.enable(house.poolId, actor)
  expect((await house.get('/sts', 'STS token')).status).toBe(200)
})
