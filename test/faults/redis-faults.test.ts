import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Admission, LimitClass } from '../../src/limits/admission.ts'
import type { Quota } from '../../src/limits/limit-class.ts'
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

/** Of a call to Redis: long enough for a busy machine, where what is asserted is what Redis decides. */
const deadlineMs = 200

let server: TestRedis
let proxy: SpoilingProxy
let redis: CountedConnection
let byHand: Redis
let admission: TestAdmission

beforeEach(async () => {
  server = await startRedis()
  proxy = await startSpoilingProxy(server.port)
  redis = await connect(`redis://127.0.0.1:${proxy.port}`, deadlineMs)
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
  'slow: every answer later than its deadline': {
    begin: () => {
      proxy.spoil({ kind: 'slow', ms: 2 * deadlineMs })
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

describe('what was taken ahead', () => {
  const ahead = { ...window, requests: 100, tokenShare: 20 }
  const leased = limitClass({ user: { window: ahead } })

  /** Admit one, and take a share behind it. */
  async function takeAhead(limits: LimitClass): Promise<void> {
    expect(isAdmitted(await ask('u-1', limits))).toBe(true)
  }

  it('a Redis that is killed: it goes on without waiting, then shares of the limit do', async () => {
    await takeAhead(leased)
    await server.kill()
    await until(() => state() === 'degraded')
    const decisions = Array.from({ length: 100 }, () => ask('u-1', leased))
    const atOnce = decisions.flatMap((each) => (each instanceof Promise ? [] : each))
    expect(atOnce).toHaveLength(100)
    // The share of tokens, then this replica's half of the limit.
    expect(atOnce.filter((each) => isAdmitted(each) && !each.degraded)).toHaveLength(20)
    expect(atOnce.filter(isAlone)).toHaveLength(50)
    await server.restart()
    await until(() => state() === 'up')
    const later = await times(150, () => ask('u-1', leased))
    expect(later.some(isAlone)).toBe(false)
    expect(later.filter(isAdmitted)).toHaveLength(100)
  })

  it('a Redis that is frozen: nobody waits who is admitted from it', async () => {
    await takeAhead(leased)
    server.freeze()
    for (let i = 0; i < 20; i++) expect(ask('u-1', leased)).not.toBeInstanceOf(Promise)
    await untilGivenUp()
    server.thaw()
    await until(() => state() === 'up')
    // All that was counted counts, and the share that was asked for in vain is lost.
    const later = await times(150, () => ask('u-1', leased))
    const admitted = 21 + later.filter(isAdmitted).length
    expect(admitted).toBeLessThanOrEqual(100)
    expect(admitted).toBeGreaterThanOrEqual(100 - 20)
  })

  it('where nothing passes without Redis, what it has counted passes all the same', async () => {
    const refusing = limitClass({ user: { window: ahead, whenUnavailable: 'refuse' } })
    await takeAhead(refusing)
    await server.kill()
    await until(() => state() === 'degraded')
    const decisions = await times(30, () => ask('u-1', refusing))
    expect(decisions.filter(isAdmitted)).toHaveLength(20)
    expect(decisions.filter(({ kind }) => kind === 'unavailable')).toHaveLength(10)
  })

  it('a window that is over while Redis is away: nothing of it is used any more', async () => {
    const brief = limitClass({ user: { window: { ...ahead, windowMs: 300 } } })
    await takeAhead(brief)
    await server.kill()
    await until(() => state() === 'degraded')
    await new Promise((resolve) => setTimeout(resolve, 300))
    const decisions = await times(100, () => ask('u-1', brief))
    expect(decisions.filter(isAdmitted).every(isAlone)).toBe(true)
    expect(decisions.filter(isAdmitted)).toHaveLength(50)
  })
})

describe('one hot organization', () => {
  it('a thousand of its users at once: exact, in bounded calls, and others are not in its way', async () => {
    const hot = limitClass({
      user: { window: { requests: 5, windowMs: 600_000 } },
      organization: { window: { requests: 500, windowMs: 600_000 } },
    })
    const patient = await connect(server.url, 10_000)
    const busy = openAdmission(patient)
    const at = (organizationId: string, i: number) => ({
      ...{ organizationId, principalId: `u-${i % 1_000}`, limitClass: hot },
    })
    const [decisions, others] = await Promise.all([
      times(5_000, (i) => busy.admit(at('o-hot', i))),
      times(100, (i) => busy.admit(at(`o-${i}`, i))),
    ])
    expect(decisions.filter(isAdmitted)).toHaveLength(500)
    expect(others.filter(isAdmitted)).toHaveLength(100)
    expect(patient.calls.length).toBeLessThanOrEqual(Math.ceil(5_100 / 128) + 1)
    expect(busy.health().redis).toMatchObject({ failedCalls: 0, outages: 0 })
    // Known to be exhausted: it costs Redis nothing any more, however hot it is.
    const before = patient.calls.length
    await times(5_000, (i) => busy.admit(at('o-hot', i)))
    expect(patient.calls.length).toBe(before)
    await busy.close()
    patient.close()
  })
})

describe('a replica whose clock is wrong by five minutes', () => {
  const hourly: Quota = {
    name: 'hourly',
    scope: 'organization',
    limit: 20,
    period: 'hour',
    whenUnavailable: 'local',
  }
  it.each([-300_000, 300_000])('%i ms: Redis decides, so limits are exact', async (byMs) => {
    const other = await connect(server.url)
    const wrong = openAdmission(other, {
      keyPrefix: admission.keyPrefix,
      wallClock: () => Date.now() + byMs,
      now: () => performance.now() + byMs,
    })
    const sliding = limitClass({
      user: { window: { ...window, isSliding: true } },
      organization: { window: { requests: 30, windowMs: 600_000 } },
    })
    const decisions = await times(60, (i) =>
      (i % 2 === 0 ? admission : wrong).admit({
        ...{ organizationId: 'o-1', principalId: 'u-1' },
        limitClass: { ...sliding, quotas: [hourly] },
      }),
    )
    expect(decisions.filter(isAdmitted)).toHaveLength(10)
    await wrong.close()
    other.close()
  })
})
