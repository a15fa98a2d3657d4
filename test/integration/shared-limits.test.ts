import { once } from 'node:events'
import { request, type ClientRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { basic } from '../support/basic.ts'
import type { Fleet } from '../support/fleet.ts'
import type { GatewayProcess } from '../support/gateway-process.ts'
import { createCaller, type Caller, type LoadAnswer } from '../support/load.ts'
import type { RecordingUpstream } from '../support/recording-upstream.ts'
import type { TestRedis } from '../support/redis.ts'
import { startSharedFleet, type SharedFleet } from '../support/shared-fleet.ts'
import { until } from '../support/until.ts'

const leaseSeconds = 2
const slots = 20

/** No window resets within a test. */
const thousand = { requests: 1_000, windowSeconds: 3_600 }
const classes = {
  'per-user': { user: thousand },
  'per-organization': { organization: thousand },
  slots: { user: { concurrent: slots }, organization: { concurrent: slots } },
}

let shared: SharedFleet
let redis: TestRedis
let upstream: RecordingUpstream
let fleet: Fleet

beforeAll(async () => {
  shared = await startSharedFleet(({ redis, upstream }) => ({
    count: 4,
    configuration: {
      // Redis is not to fail here, and this machine may be busy.
      redis: { url: redis.url, commandTimeoutMs: 5_000 },
      limits: { leaseSeconds, classes },
    },
    groups: Object.keys(classes).map((limitClass) => ({
      name: limitClass,
      limitClass,
      paths: { [`/${limitClass}`]: { get: {} } },
      upstreamUrl: upstream.url,
    })),
  }))
  ;({ redis, upstream, fleet } = shared)
})
afterEach(() => {
  upstream.reset()
})
afterAll(() => shared.stop())

function ports(): readonly number[] {
  return fleet.gateways.map(({ port }) => port)
}

async function using<Result>(
  authorizations: readonly string[],
  use: (callers: readonly Caller[]) => Promise<Result>,
): Promise<Result> {
  const callers = authorizations.map((authorization) => createCaller(ports(), authorization))
  try {
    return await use(callers)
  } finally {
    await Promise.all(callers.map((caller) => caller.close()))
  }
}

/** A key of another user of the same organization. */
async function secondUser(): Promise<string> {
  const { organizationId, directory } = fleet
  const actor = { id: 'test' }
  const user = await directory.principals.createUser(
    { organizationId, email: 'b@example.com' },
    actor,
  )
  const key = { ownerId: user.id, resource: { kind: 'cloud' } } as const
  const { id, secret } = await directory.apiKeys.create(key, actor)
  return basic(id, secret)
}

function expectRefusal({ status, headers, body }: LoadAnswer): void {
  expect(status).toBe(429)
  expect(Number(headers['retry-after'])).toBeGreaterThan(0)
  expect(JSON.parse(body)).toMatchObject({
    status: '429',
    error: { code: 'RATE_LIMIT_EXCEEDED' },
    requestId: headers['x-request-id'],
  })
}

test('four gateways let exactly 1,000 of 5,000 requests of a user pass', async () => {
  const answers = await using([fleet.authorization], async ([caller]) =>
    caller?.callTimes(5_000, '/per-user'),
  )
  const refused = answers?.filter(({ status }) => status !== 200) ?? []
  expect(upstream.requests).toHaveLength(1_000)
  expect(refused).toHaveLength(4_000)
  refused.forEach(expectRefusal)
})

test('four gateways let exactly 1,000 of 5,000 requests of an organization pass', async () => {
  const answers = await using([fleet.authorization, await secondUser()], (callers) =>
    Promise.all(callers.map((caller) => caller.callTimes(2_500, '/per-organization'))),
  )
  const refused = answers.flat().filter(({ status }) => status !== 200)
  expect(upstream.requests).toHaveLength(1_000)
  expect(refused).toHaveLength(4_000)
  refused.forEach(expectRefusal)
})

test('requests in flight at the upstream never exceed the slots, whoever goes away, and no lease is left', async () => {
  upstream.behave(answerInPieces)
  const tally = { answered: 0, refused: 0, abandoned: 0 }
  await using([fleet.authorization], async ([caller]) => {
    const one = async (): Promise<void> => {
      const abort = new AbortController()
      const patienceMs = Math.random() < 0.3 ? Math.random() * 20 : 30_000
      const timer = setTimeout(() => {
        abort.abort()
      }, patienceMs)
      const answer = await caller?.call('/slots', { signal: abort.signal }).catch(() => undefined)
      clearTimeout(timer)
      if (answer === undefined) tally.abandoned += 1
      else tally[answer.status === 200 ? 'answered' : 'refused'] += 1
      if (answer !== undefined) expect([200, 429]).toContain(answer.status)
    }
    const client = async (): Promise<void> => {
      for (let i = 0; i < 60; i++) await one()
    }
    await Promise.all(Array.from({ length: 50 }, client))
  })
  expect(upstream.peak()).toBeLessThanOrEqual(slots)
  // Each has happened often: slots were all taken, and given back in every way.
  expect(Math.min(...Object.values(tally))).toBeGreaterThan(50)
  await until(async () => (await leaseSets()).length === 0)
})

/** Some milliseconds to the head, and some more to the end. */
function answerInPieces(_incoming: IncomingMessage, outgoing: ServerResponse): void {
  setTimeout(() => {
    outgoing.write('{"message":')
    setTimeout(() => outgoing.end('"hello"}'), Math.random() * 15)
  }, Math.random() * 15)
}

/** A set without members does not exist. */
async function leaseSets(): Promise<string[]> {
  const client = new Redis(redis.url)
  try {
    return await client.keys('*}[lL]*')
  } finally {
    client.disconnect()
  }
}

test('the slots of a killed gateway are free again within the time of a lease and a second', async () => {
  upstream.behave((_incoming, outgoing) => {
    outgoing.write('begun')
  })
  const [victim, other] = fleet.gateways
  if (victim === undefined || other === undefined) throw new Error('There are too few gateways')
  const held = await Promise.all(Array.from({ length: slots }, () => hold(victim)))
  expect(held.map(({ status }) => status)).toEqual(Array(slots).fill(200))
  // Renewed more than once, they are held for as long as the gateway lives.
  await new Promise((resolve) => setTimeout(resolve, leaseSeconds * 1_000))
  expect((await hold(other)).status).toBe(429)

  await victim.kill()
  const taken: Held[] = []
  await until(
    async () => {
      const next = await hold(other)
      if (next.status === 200) taken.push(next)
      return taken.length === slots
    },
    (leaseSeconds + 1) * 1_000,
  )
  expect((await hold(other)).status).toBe(429)
  for (const { call } of taken) call.destroy()
  await until(async () => (await leaseSets()).length === 0)
})

type Held = { readonly status: number | undefined; readonly call: ClientRequest }

/** Send a request and read no more than the head of its answer. */
async function hold({ port }: GatewayProcess): Promise<Held> {
  const { authorization } = fleet
  const options = { port, path: '/slots', headers: { authorization }, agent: false }
  const call = request(options).end()
  call.on('error', () => undefined)
  const [answer] = (await once(call, 'response')) as [IncomingMessage]
  answer.on('error', () => undefined)
  if (answer.statusCode !== 200) call.destroy()
  return { status: answer.statusCode, call }
}
