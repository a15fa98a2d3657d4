import pg from 'pg'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { openDirectory, type Directory } from '../../src/directory/directory.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { until } from '../support/until.ts'
import {
  actor,
  makeClient,
  makePool,
  openOnServer,
  peppers,
  present,
  testOptions,
} from './opening.ts'

let postgres: TestPostgres
let original: string
let filled: Filled
beforeAll(async () => {
  postgres = await startPostgres()
  original = await postgres.createDatabase()
  filled = await fill(original)
}, 60_000)
afterAll(() => postgres.stop())

/** A database of the test's own with what was filled in once, which takes several connections. */
const filledDatabase = (): Promise<string> => postgres.createDatabase(original)

/** Nothing becomes old by itself, so what is forgotten was told. */
const forever = { maxEntries: 1000, maxAgeMs: 1e9, staleMs: 1e9, negativeMs: 1e9 }
/** What is not told is found out soon all the same. */
const brief = { ...forever, maxAgeMs: 50 }

const issuer = 'https://issuer.example.com/'
const opened = { kind: 'resource', resourceKind: 'kafka-cluster', id: 'lkc-1' } as const

/** Of each kind one record, made before any gateway of the test is there. */
async function fill(url: string) {
  const directory = await openDirectory({ ...testOptions().options, url, peppers })
  try {
    const pool = await makePool(directory)
    const { organizationId, userId: ownerId } = pool
    const client = await makeClient(directory)
    const named = { resourceKind: opened.resourceKind, resourceId: opened.id }
    const resource = await directory.resources.create({ organizationId, ...named }, actor)
    const ofResource = { ...opened, environment: undefined }
    const resourceKey = await directory.apiKeys.create({ ownerId, resource: ofResource }, actor)
    const userKey = await directory.apiKeys.create({ ownerId, resource: { kind: 'cloud' } }, actor)
    await directory.accessGrants.create({ organizationId, name: 'early' }, actor)
    const crnPattern = `crn://confluent.cloud/organization=${organizationId}`
    const role = { organizationId, role: 'Viewer', crnPattern }
    const binding = await directory.roleBindings.create({ ...role, principalId: ownerId }, actor)
    await directory.roleBindings.create({ ...role, principalId: pool.poolId }, actor)
    await directory.keyRotation.ensure('EdDSA', actor)
    return { ...pool, client, resource, resourceKey, userKey, binding }
  } finally {
    await directory.close()
  }
}

type Filled = Awaited<ReturnType<typeof fill>>

/** A change, and what holds at a gateway before it and no longer after it. */
type Revocation = readonly [
  what: string,
  change: (directory: Directory, filled: Filled) => Promise<unknown>,
  holds: (directory: Directory, filled: Filled) => unknown,
]

const poolIsFound: Revocation[2] = async (directory, { poolId }) => {
  const found = await directory.findPool(poolId)
  return (
    found?.pool.state === 'enabled' &&
    found.provider.state === 'enabled' &&
    found.provider.issuer === issuer
  )
}

/** Apart from the former, since the two are cached apart and told apart. */
const issuerIsFound: Revocation[2] = async (directory, { poolId }) => {
  const [provider] = await directory.findProviders(issuer)
  const [pool] = provider?.pools ?? []
  return provider?.state === 'enabled' && pool?.state === 'enabled' && pool.id === poolId
}

const clientIsEnabled: Revocation[2] = async (directory, { client }) => {
  const found = await directory.findPartnerClient(client.id)
  return found?.state === 'enabled' && found.partnerState === 'enabled'
}

const resourceKeyExists: Revocation[2] = async (directory, { resourceKey }) =>
  (await directory.findApiKey(resourceKey.id)) !== undefined

const grantIsGiven: Revocation[2] = async (directory, { organizationId }) =>
  (await directory.findGrants(organizationId)).has('early')

const isBound =
  (who: 'userId' | 'poolId'): Revocation[2] =>
  async (directory, filled) =>
    (await directory.findRoleBindings(filled[who])).length > 0

/** The changes of a pool and of its provider, as one of the two look-ups has to notice them. */
function revocationsOf(by: string, holds: Revocation[2]): readonly Revocation[] {
  return [
    [`a pool found ${by} is disabled`, (d, f) => d.identityPools.disable(f.poolId, actor), holds],
    [`a pool found ${by} is deleted`, (d, f) => d.identityPools.delete(f.poolId, actor), holds],
    [
      `the provider of a pool found ${by} is disabled`,
      (d, f) => d.identityProviders.disable(f.providerId, actor),
      holds,
    ],
    [
      `the provider of a pool found ${by} is deleted`,
      (d, f) => d.identityProviders.delete(f.providerId, actor),
      holds,
    ],
    [
      `the provider of a pool found ${by} gets another issuer`,
      (d, f) => d.identityProviders.update(f.providerId, { issuer: 'https://x' }, actor),
      holds,
    ],
  ]
}

const revocations: readonly Revocation[] = [
  ...revocationsOf('by its id', poolIsFound),
  ...revocationsOf('by its issuer', issuerIsFound),
  [
    'a client is disabled',
    (d, { client }) => d.partnerClients.disable(client.id, actor),
    clientIsEnabled,
  ],
  [
    'a client is deleted',
    (d, { client }) => d.partnerClients.delete(client.id, actor),
    clientIsEnabled,
  ],
  [
    'a partner is disabled',
    (d, { client }) => d.partners.disable(client.partnerId, actor),
    clientIsEnabled,
  ],
  [
    'a partner is deleted',
    (d, { client }) => d.partners.delete(client.partnerId, actor),
    clientIsEnabled,
  ],
  [
    'the secret of a client is replaced',
    (d, { client }) =>
      d.partnerClients.addSecret({ clientId: client.id, otherExpiresAtMs: 1000 }, actor),
    async (d, { client }) =>
      (await d.findPartnerClient(client.id))?.secrets[0]?.expiresAtMs === undefined,
  ],
  [
    'a user is deleted',
    (d, { userId }) => d.principals.delete(userId, actor),
    async (d, { userKey }) => (await present(d, userKey)) === 'accepted',
  ],
  [
    'a resource is deleted',
    (d, { resource }) => d.resources.delete(resource.id, actor),
    resourceKeyExists,
  ],
  [
    'a grant is taken back',
    (d, { organizationId }) => d.accessGrants.delete({ organizationId, name: 'early' }, actor),
    grantIsGiven,
  ],
  [
    'a role binding is deleted',
    (d, { binding }) => d.roleBindings.delete(binding.id, actor),
    isBound('userId'),
  ],
  [
    'a user with a role is deleted',
    (d, { userId }) => d.principals.delete(userId, actor),
    isBound('userId'),
  ],
  [
    'a pool with a role is deleted',
    (d, { poolId }) => d.identityPools.delete(poolId, actor),
    isBound('poolId'),
  ],
  [
    'a token is revoked',
    (d) => d.revokeToken('t1', Date.now() + 600_000, actor),
    (d) => !d.isTokenRevoked('t1'),
  ],
  [
    'signing keys are rotated',
    (d) =>
      d.keyRotation.rotate(
        { algorithm: 'EdDSA', minPublishedMs: 0, keepPreviousMs: 60_000 },
        actor,
      ),
    (d) => d.signingKeys()?.previous.length === 0,
  ],
]

async function openAll(url: string, cache: typeof forever): Promise<readonly Directory[]> {
  return Promise.all([1, 2, 3, 4].map(() => openOnServer(url, { cache, connections: 2 })))
}

async function byHand(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  onTestFinished(() => client.end())
  return client
}

describe('a change made by one gateway counts at all of four', () => {
  test.each(revocations)('when %s', async (_what, change, holds) => {
    const url = await filledDatabase()
    const gateways = await openAll(url, forever)
    for (const gateway of gateways) expect(await holds(gateway, filled)).toBe(true)
    const [first] = gateways
    if (first !== undefined) await change(first, filled)
    // Where the change was made, nobody waits for the notification.
    expect(first && (await holds(first, filled))).toBe(false)
    for (const gateway of gateways) await until(async () => !(await holds(gateway, filled)))
  })
})

describe('a change that is never told counts within the age of what is cached', () => {
  test.each(revocations)('when %s', async (_what, change, holds) => {
    const url = await filledDatabase()
    const here = await openOnServer(url, { cache: brief })
    const there = await openOnServer(url, { cache: forever })
    const client = await byHand(url)
    const { rows } = await client.query<{ name: string }>(
      `SELECT DISTINCT event_object_table AS name FROM information_schema.triggers`,
    )
    // Users' triggers alone: those of foreign keys are the server's, and stay.
    for (const { name } of rows) await client.query(`ALTER TABLE ${name} DISABLE TRIGGER USER`)
    expect(await holds(here, filled)).toBe(true)
    await change(there, filled)
    await until(async () => !(await holds(here, filled)))
    expect(here.health().notifications).toBe('arriving')
  })
})

describe('when an operator works by hand', () => {
  test.each([
    ['deletes the organization of a pool', 'DELETE FROM organizations', poolIsFound],
    ['deletes the organization of an issuer', 'DELETE FROM organizations', issuerIsFound],
    ['deletes the organization of a grant', 'DELETE FROM organizations', grantIsGiven],
    ['gives a pool another id', `UPDATE identity_pools SET id = 'pool-x'`, poolIsFound],
    [
      'gives a pool of an issuer another id',
      `UPDATE identity_pools SET id = 'pool-x'`,
      issuerIsFound,
    ],
    ['deletes the organization of a role', 'DELETE FROM organizations', isBound('userId')],
    [
      'gives a pool with a role another id',
      `UPDATE identity_pools SET id = 'pool-x'`,
      isBound('poolId'),
    ],
    ['deletes the partners', 'DELETE FROM partners', clientIsEnabled],
    ['deletes the resources', 'DELETE FROM resources', resourceKeyExists],
  ])('and %s, that counts', async (_what, sql, holds) => {
    const url = await filledDatabase()
    const gateway = await openOnServer(url, { cache: forever })
    expect(await holds(gateway, filled)).toBe(true)
    await (await byHand(url)).query(sql)
    await until(async () => !(await holds(gateway, filled)))
  })
})

test('an assertion that several gateways are shown at once is new to one of them', async () => {
  const url = await postgres.createDatabase()
  const gateways = await openAll(url, forever)
  const answers = await Promise.all(
    gateways.map((gateway) => gateway.useAssertion('client', 'j1', Date.now() + 60_000)),
  )
  expect(answers.filter((isNew) => isNew)).toHaveLength(1)
})

test('gateways that need signing keys at the same time end with one set of them', async () => {
  const url = await postgres.createDatabase()
  const gateways = await openAll(url, forever)
  await Promise.all(gateways.map((gateway) => gateway.keyRotation.ensure('ES256', actor)))
  const kids = new Set(gateways.map((gateway) => gateway.signingKeys()?.current.kid))
  expect(kids.size).toBe(1)
  expect(await gateways[0]?.keyRotation.list()).toHaveLength(2)
})

test('two gateways that rotate at the same time do it once', async () => {
  const url = await filledDatabase()
  const gateways = await openAll(url, forever)
  await (await byHand(url)).query(`UPDATE signing_keys SET created_at = now() - interval '1 hour'`)
  const rotation = { algorithm: 'EdDSA', minPublishedMs: 60_000, keepPreviousMs: 60_000 } as const
  const outcomes = await Promise.allSettled(
    gateways.map((gateway) => gateway.keyRotation.rotate(rotation, actor)),
  )
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  expect(await gateways[0]?.keyRotation.list()).toHaveLength(3)
})

test('without the pepper that they were encrypted under, signing keys verify and do not sign', async () => {
  const url = await filledDatabase()
  const { lines, options } = testOptions()
  const other = { current: { id: 'p2', secret: 'another pepper, long enough too' }, previous: [] }
  const gateway = await openDirectory({ ...options, url, peppers: other })
  onTestFinished(() => gateway.close())
  const current = gateway.signingKeys()?.current
  expect(current?.publicKey.type).toBe('public')
  expect(current?.privateKey).toBeUndefined()
  const record = { kid: current?.kid, pepperId: 'p1' }
  expect(lines).toMatchObject([{ level: 'error', record }])
})

test('the database holds no private key that can be read', async () => {
  const url = await filledDatabase()
  const gateway = await openOnServer(url)
  const key = gateway.signingKeys()?.current.privateKey
  const { rows } = await (
    await byHand(url)
  ).query<{ kept: string }>(
    `SELECT encode(sealed_private_key, 'hex') || public_jwk::text AS kept FROM signing_keys`,
  )
  const { d = '' } = key?.export({ format: 'jwk' }) ?? {}
  expect(d).not.toBe('')
  for (const { kept } of rows) {
    expect(kept).not.toContain(d)
    expect(kept).not.toContain(Buffer.from(d, 'base64url').toString('hex'))
  }
})

test('a token that has only just ended is still revoked for who starts now: clocks differ', async () => {
  const url = await postgres.createDatabase()
  const first = await openOnServer(url)
  await first.revokeToken('t1', Date.now() - 30_000, actor)
  const second = await openOnServer(url)
  expect(second.isTokenRevoked('t1')).toBe(true)
})
