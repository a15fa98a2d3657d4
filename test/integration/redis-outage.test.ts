import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Fleet } from '../support/fleet.ts'
import type { GatewayProcess } from '../support/gateway-process.ts'
import { createCaller, type Caller, type LoadAnswer } from '../support/load.ts'
import type { TestRedis } from '../support/redis.ts'
import { startSharedFleet, type SharedFleet } from '../support/shared-fleet.ts'
import { until } from '../support/until.ts'

const limit = 40
const replicas = 2
const clients = 16

/** No window resets within a test, and each test has one that no other has asked about. */
const window = { requests: limit, windowSeconds: 3_600 }
const plenty = { requests: 1_000_000, windowSeconds: 3_600, concurrent: 1_000 }
const classes = {
  load: { user: plenty, organization: plenty },
  killed: { user: window },
  frozen: { user: window },
}

let shared: SharedFleet
let redis: TestRedis
let fleet: Fleet
let everywhere: Caller

beforeAll(async () => {
  shared = await startSharedFleet(({ redis, upstream }) => ({
    count: replicas,
    redisUrl: redis.url,
    configuration: { limits: { replicas, classes } },
    groups: Object.keys(classes).map((limitClass) => ({
      name: limitClass,
      limitClass,
      paths: { [`/${limitClass}`]: { get: {} } },
      upstreamUrl: upstream.url,
    })),
  }))
  ;({ redis, fleet } = shared)
  everywhere = callerOf(fleet.gateways)
})
beforeEach(() => untilAll('up'))
afterAll(async () => {
  await everywhere.close()
  await shared.stop()
})

function callerOf(gateways: readonly GatewayProcess[]): Caller {
  const ports = gateways.map(({ port }) => port)
  return createCaller(ports, fleet.authorization, clients)
}

/** Wait until every gateway says this of its limits. */
async function untilAll(state: 'up' | 'degraded'): Promise<void> {
  for (const { adminPort } of fleet.gateways) {
    await until(async () => {
      const answer = await fetch(`http://127.0.0.1:${adminPort}/readyz`)
      // A gateway without its Redis stays in rotation.
      expect(answer.status).toBe(200)
      const { parts } = (await answer.json()) as { parts: { limits: { state: string } } }
      return parts.limits.state === state
    })
  }
}

/** Clients that call one after the other until they are told to stop. */
function startLoad(): { stop(): Promise<readonly LoadAnswer[]> } {
  const answers: LoadAnswer[] = []
  let isStopping = false
  const client = async (): Promise<void> => {
    while (!isStopping) answers.push(await everywhere.call('/load'))
  }
  const all = Promise.all(Array.from({ length: clients }, client))
  return {
    async stop() {
      isStopping = true
      await all
      return answers
    },
  }
}

function statuses(answers: readonly LoadAnswer[]): readonly number[] {
  return [...new Set(answers.map(({ status }) => status))]
}

/** How many of a hundred requests to one gateway pass. */
async function admittedBy(gateway: GatewayProcess, path: string): Promise<number> {
  const caller = callerOf([gateway])
  try {
    const answers = await caller.callTimes(100, path)
    expect(statuses(answers).toSorted()).toEqual([200, 429])
    return answers.filter(({ status }) => status === 200).length
  } finally {
    await caller.close()
  }
}

async function admittedByEach(path: string): Promise<readonly number[]> {
  return Promise.all(fleet.gateways.map((gateway) => admittedBy(gateway, path)))
}

async function admittedByAll(path: string): Promise<number> {
  const answers = await everywhere.callTimes(200, path)
  expect(statuses(answers).toSorted()).toEqual([200, 429])
  return answers.filter(({ status }) => status === 200).length
}

const share = Array(replicas).fill(limit / replicas) as readonly number[]

test('while Redis is killed and back nothing fails, each gateway keeps its share, and then the limit is exact again', async () => {
  const load = startLoad()
  await redis.kill()
  await untilAll('degraded')
  expect(await admittedByEach('/killed')).toEqual(share)
  await redis.restart()
  await untilAll('up')
  expect(await admittedByAll('/killed')).toBe(limit)
  const answers = await load.stop()
  expect(statuses(answers)).toEqual([200])
})

test('while Redis is frozen every request is answered all the same, each gateway keeps its share, and then what was counted before still counts', async () => {
  const before = await everywhere.callTimes(limit / 4, '/frozen')
  expect(statuses(before)).toEqual([200])
  const load = startLoad()
  redis.freeze()
  await untilAll('degraded')
  expect(await admittedByEach('/frozen')).toEqual(share)
  // Nothing waits for Redis: it is still frozen when the last is answered.
  const answers = await load.stop()
  redis.thaw()
  expect(statuses(answers)).toEqual([200])
  await untilAll('up')
  expect(await admittedByAll('/frozen')).toBe(limit - before.length)
})
