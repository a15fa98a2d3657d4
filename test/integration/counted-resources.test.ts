import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Fleet } from '../support/fleet.ts'
import { metricsOf } from '../support/metrics.ts'
import type { TestPostgres } from '../support/postgres.ts'
import type { RecordingUpstream } from '../support/recording-upstream.ts'
import type { TestRedis } from '../support/redis.ts'
import { startSharedFleet, type SharedFleet } from '../support/shared-fleet.ts'
import { until } from '../support/until.ts'

const names = ['exact', 'flushed', 'killed', 'away', 'later'] as const
type Name = (typeof names)[number]

let shared: SharedFleet
let postgres: TestPostgres
let redis: TestRedis
let upstream: RecordingUpstream
let fleet: Fleet

beforeAll(async () => {
  shared = await startSharedFleet(({ redis, upstream }) => ({
    count: 2,
    groups: names.map((name) => ({
      name,
      mount: `/${name}`,
      paths: { '/things': { post: { operationId: 'create' } } },
      upstreamUrl: upstream.url,
      counts: [{ quota: name, creates: ['create'] }],
    })),
    configuration: {
      redis: { url: redis.url, commandTimeoutMs: 5_000 },
      limits: {
        leaseSeconds: 2,
        countedResources: {
          exact: { scope: 'organization', limit: 25 },
          flushed: { scope: 'organization', limit: 1 },
          killed: { scope: 'organization', limit: 1 },
          away: { scope: 'organization', limit: 2 },
          later: { scope: 'organization', limit: 2, whenUnavailable: 'admit' },
        },
        classes: { standard: { user: { requests: 10_000, windowSeconds: 60 } } },
      },
    },
  }))
  ;({ postgres, redis, upstream, fleet } = shared)
}, 60_000)
beforeEach(() => {
  upstream.behave((_incoming, outgoing) => outgoing.writeHead(201).end())
})
afterAll(() => shared.stop())

async function create(name: Name, replica: number): Promise<number> {
  const headers = { authorization: fleet.authorization }
  const url = `http://127.0.0.1:${fleet.gateways[replica]?.port}/${name}/things`
  return (await fetch(url, { method: 'POST', headers })).status
}

async function used(name: Name): Promise<number | undefined> {
  const { organization } = await fleet.directory.resourceCounts.read(fleet.organizationId, '-')
  return organization.get(name)
}

test('two replicas create exactly as many as the quota allows, whatever comes at once', async () => {
  const statuses = await Promise.all(Array.from({ length: 120 }, (_, i) => create('exact', i % 2)))
  expect(statuses.filter((status) => status === 201)).toHaveLength(25)
  expect(statuses.filter((status) => status === 402)).toHaveLength(95)
  await until(async () => (await used('exact')) === 25)
})

test('a flushed Redis forgets no resource', async () => {
  expect(await create('flushed', 0)).toBe(201)
  const client = new Redis(redis.url)
  await client.flushall()
  client.disconnect()
  for (const replica of [0, 1]) expect(await create('flushed', replica)).toBe(402)
})

test('the reservation of a gateway that is killed lapses, and is kept until then', async () => {
  upstream.behave(() => undefined)
  const third = await fleet.start()
  const place = fleet.gateways.indexOf(third)
  const lost = create('killed', place).catch(() => 'lost')
  await until(() => upstream.inFlight() === 1)
  // Longer than a lease: it is renewed while the upstream takes its time.
  await new Promise((resolve) => setTimeout(resolve, 2_500))
  expect(await create('killed', 0)).toBe(402)
  await third.kill()
  expect(await lost).toBe('lost')
  upstream.behave((_incoming, outgoing) => outgoing.writeHead(201).end())
  await until(async () => (await create('killed', 0)) === 201)
  expect(await create('killed', 1)).toBe(402)
})

test('while the database is away nothing is created uncounted, or it is counted later', async () => {
  const answers: (() => void)[] = []
  upstream.behave((_incoming, outgoing) => {
    answers.push(() => void outgoing.writeHead(201).end())
  })
  const begun = create('away', 0)
  await until(() => answers.length === 1)
  await postgres.kill()
  for (const answer of answers) answer()
  expect(await begun).toBe(201)
  upstream.behave((_incoming, outgoing) => outgoing.writeHead(201).end())
  expect(await create('away', 0)).toBe(503)
  expect(await create('later', 0)).toBe(201)
  const [replica] = fleet.gateways
  if (replica === undefined) throw new Error('There is no gateway')
  const counted = await metricsOf(replica)
  for (const series of [
    'degraded_total{outcome="admitted"} 1',
    'degraded_total{outcome="unavailable"} 1',
    'dropped_total 0',
  ])
    expect(counted).toContain(`gatehouse_counting_${series}\n`)
  // The creation that had begun, and the one that was let pass, with its reservation.
  expect(counted).toMatch(/^gatehouse_counting_untold [1-9]$/m)
  await postgres.restart()
  await until(async () => (await used('away').catch(() => 0)) === 1)
  await until(async () => (await used('later').catch(() => 0)) === 1)
  await until(async () => (await create('away', 1)) === 201)
  expect(await create('away', 0)).toBe(402)
})
