import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Admission, LimitClass } from '../../src/limits/admission.ts'
import {
  connect,
  isAdmitted,
  limitClass,
  openAdmission,
  times,
  type CountedConnection,
  type TestAdmission,
} from '../limits/fixtures.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { startSpoilingProxy, type SpoilingProxy } from '../support/spoiling-proxy.ts'
import { until } from '../support/until.ts'

// The table of docs/limits.md: what becomes of requests under each fault of Redis, and after it.

let server: TestRedis
let proxy: SpoilingProxy
let redis: CountedConnection
let byHand: Redis
let admission: TestAdmission

beforeEach(async () => {
  server = await startRedis()
  proxy = await startSpoilingProxy(server.port)
  redis = await connect(`redis://127.0.0.1:${proxy.port}`, 50)
  byHand = new Redis(server.port, { retryStrategy: () => 50, maxRetriesPerRequest: null })
  byHand.on('error', () => undefined)
  admission = openAdmission(redis, { replicas: 2, leaseMs: 60_000 })
})
afterEach(async () => {
  await admission.close()
  byHand.disconnect()
  redis.close()
  await proxy[Symbol.asyncDispose]()
  await server.stop()
})

const window = { requests: 10, windowMs: 600_000 }
const rate = limitClass({ user: { window } })
const slots = limitClass({ user: { concurrent: 4 } })
const ask = (user: string, limits = rate): Admission | Promise<Admission> =>
  admission.admit({ organizationId: 'o-1', principalId: user, limitClass: limits })

const limitsOf = (user: string, limits: LimitClass) =>
  admission.findLimits({ organizationId: 'o-1', principalId: user, limitClass: limits })

const state = () => admission.health().redis?.state
const isAlone = (each: Admission): boolean => isAdmitted(each) && each.degraded

/** Ask until Redis is given up. Nobody is refused, and no more than five calls are spent on that. */
async function untilGivenUp(): Promise<void> {
  const { failedCalls = 0 } = admission.health().redis ?? {}
  for (let i = 0; state() === 'up'; i++) expect(isAdmitted(await ask(`u-${i}`))).toBe(true)
  expect((admission.health().redis?.failedCalls ?? 0) - failedCalls).toBeLessThanOrEqual(5)
}

/** While it is away, this process keeps its share, and asks nobody. */
async function expectShare(user: string): Promise<void> {
  const decisions = await times(10, () => ask(user))
  // Half of 10, for two replicas.
  expect(decisions.filter(isAlone)).toHaveLength(5)
  expect(decisions.filter(isAdmitted)).toHaveLength(5)
}

/** Once it is back, limits are exact. */
async function expectExact(user: string): Promise<void> {
  await until(() => state() === 'up')
  const decisions = await times(30, () => ask(user))
  expect(decisions.filter(isAdmitted)).toHaveLength(10)
  expect(decisions.some(isAlone)).toBe(false)
}

type Fault = { readonly begin: () => unknown; readonly end: () => unknown }

const awayFor: Readonly<Record<string, Fault>> = {
  killed: { begin: () => server.kill(), end: () => server.restart() },
  'frozen (SIGSTOP)': {
    begin: () => {
      server.freeze()
    },
    end: () => {
      server.thaw()
    },
  },
  'paused (CLIENT PAUSE)': {
    begin: () => byHand.call('CLIENT', 'PAUSE', '600000', 'ALL'),
    // A paused server does not hear that it is to go on, either.
    end: () => server.restart(),
  },
  'slow: every answer 200 ms late': {
    begin: () => {
      proxy.spoil({ kind: 'slow', ms: 200 })
    },
    end: () => {
      proxy.spoil({ kind: 'none' })
    },
  },
  'silent: connected, and nothing comes': {
    begin: () => {
      proxy.spoil({ kind: 'silent' })
    },
    end: () => {
      proxy.spoil({ kind: 'none' })
    },
  },
  'reset in the middle of an answer': {
    begin: () => {
      proxy.spoil({ kind: 'reset' })
    },
    end: () => {
      proxy.spoil({ kind: 'none' })
    },
  },
  'answering garbage': {
    begin: () => {
      proxy.spoil({ kind: 'garbage' })
    },
    end: () => {
      proxy.spoil({ kind: 'none' })
    },
  },
  'out of memory (OOM)': {
    begin: () => byHand.config('SET', 'maxmemory', '1'),
    end: () => byHand.config('SET', 'maxmemory', '0'),
  },
  'a replica (READONLY)': {
    begin: () => byHand.replicaof('127.0.0.1', '1'),
    end: () => byHand.replicaof('NO', 'ONE'),
  },
  'busy with a script (BUSY)': {
    begin: async () => {
      await byHand.config('SET', 'busy-reply-threshold', '10')
      const other = new Redis(server.port)
      other.on('error', () => undefined)
      other
        .eval('while true do end', 0)
        .catch(() => undefined)
        .finally(() => {
          other.disconnect()
        })
    },
    end: () => byHand.script('KILL'),
  },
  'under another password': {
    begin: async () => {
      await byHand.call('ACL', 'SETUSER', 'default', 'resetpass', '>changed')
      await byHand.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    },
    end: () => byHand.call('ACL', 'SETUSER', 'default', 'nopass'),
  },
}

describe.each(Object.entries(awayFor))('a Redis that is %s', (_, { begin, end }) => {
  it('is given up within five calls; nobody is refused for it; exact when it is back', async () => {
    expect(isAdmitted(await ask('u-before'))).toBe(true)
    await begin()
    await untilGivenUp()
    await expectShare('u-meanwhile')
    await end()
    await expectExact('u-after')
  })
})

describe('a Redis that goes on', () => {
  it('flushed: windows begin anew, and held slots are taken again', async () => {
    const held = await times(4, () => ask('u-1', slots))
    expect(held.filter(isAdmitted)).toHaveLength(4)
    await times(10, () => ask('u-2'))
    await byHand.flushall()
    expect(state()).toBe('up')
    const renewing = openAdmission(redis, { leaseMs: 300, keyPrefix: admission.keyPrefix })
    await times(4, () =>
      renewing.admit({ organizationId: 'o-1', principalId: 'u-3', limitClass: slots }),
    )
    await byHand.flushall()
    const [keeping] = limitsOf('u-3', slots).slots
    await until(async () => (await byHand.zcard(keeping?.key ?? '')) === 4)
    await renewing.close()
  })

  it('without its scripts (NOSCRIPT): they are loaded, and the count stays exact', async () => {
    let admitted = 0
    for (let i = 0; i < 20; i++) {
      await byHand.script('FLUSH')
      if (isAdmitted(await ask('u-1'))) admitted += 1
    }
    expect(admitted).toBe(10)
    expect(admission.health().redis).toMatchObject({ failedCalls: 0, outages: 0 })
  })

  it('with keys of another type (WRONGTYPE): they are dropped, and nobody else is hurt', async () => {
    const both = limitClass({ user: { window, concurrent: 4 } })
    const [first, second] = [limitsOf('u-1', both), limitsOf('u-2', both)]
    for (const { key } of first.windows) await byHand.lpush(key, 'x')
    for (const { key } of first.slots) await byHand.set(key, 'x')
    for (const { key } of second.windows) await byHand.set(key, 'not a window')
    expect(await byHand.dbsize()).toBe(3)
    const decisions = await times(12, (i) => ask(`u-${i % 3}`, both))
    expect(decisions.every((each) => isAdmitted(each) && !each.degraded)).toBe(true)
    for (const each of decisions) if (isAdmitted(each)) each.permit.release()
    await until(async () => (await byHand.keys('*}l*')).length === 0)
    expect(admission.health().redis).toMatchObject({ failedCalls: 0, outages: 0 })
  })

  it('for 10,000 organizations at once: each has its own limit, and calls stay bounded', async () => {
    const before = redis.calls.length
    const one = limitClass({ organization: { window: { requests: 1, windowMs: 600_000 } } })
    const patient = await connect(server.url, 10_000)
    const many = openAdmission(patient)
    const decisions = await times(10_000, (i) =>
      many.admit({ organizationId: `o-${i}`, principalId: 'u-1', limitClass: one }),
    )
    expect(decisions.filter(isAdmitted)).toHaveLength(10_000)
    expect(patient.calls).toHaveLength(Math.ceil(10_000 / 128))
    expect(redis.calls.length).toBe(before)
    await many.close()
    patient.close()
  })
})
