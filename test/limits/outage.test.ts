import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Admission, AdmissionOptions, LimitClass } from '../../src/limits/admission.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'
import {
  connect,
  isAdmitted,
  limitClass,
  openAdmission,
  times,
  verdictOf,
  withClient,
  type Admitted,
  type CountedConnection,
  type TestAdmission,
} from './fixtures.ts'

let server: TestRedis
let redis: CountedConnection

beforeEach(async () => {
  server = await startRedis()
  redis = await connect(server.url, 50)
})
afterEach(async () => {
  redis.close()
  await server.stop()
})

const rate = limitClass({ user: { window: { requests: 10, windowMs: 60_000 } } })
const slots = limitClass({ user: { concurrent: 4 }, organization: { concurrent: 9 } })

function at(limits: LimitClass, user = 'u-1') {
  return { organizationId: 'o-1', principalId: user, limitClass: limits }
}

/** Its leases outlast every test: none comes free by lapsing. */
function open(options: Partial<AdmissionOptions> = {}): TestAdmission {
  return openAdmission(redis, { replicas: 3, leaseMs: 60_000, ...options })
}

const isUp = (admission: TestAdmission) => () => admission.health().redis?.state === 'up'
const isDegraded = (admission: TestAdmission) => () =>
  admission.health().redis?.state === 'degraded'

/** A decision that took no call. */
function atOnce(decided: Admission | Promise<Admission>): Admission {
  if (decided instanceof Promise) throw new Error('Redis was asked')
  return decided
}

function release(decided: readonly Admitted[]): void {
  for (const { permit } of decided) permit.release()
}

function leasesInRedis(): Promise<number> {
  return withClient(server.url, async (client) => {
    const keys = await client.keys('*}l*')
    const counts = await Promise.all(keys.map((key) => client.zcard(key)))
    return counts.reduce((a, b) => a + b, 0)
  })
}

/** Ask, whatever the answer, until Redis is no longer asked. */
async function askUntilDegraded(admission: TestAdmission): Promise<readonly Admission[]> {
  const decisions: Admission[] = []
  while (!isDegraded(admission)()) decisions.push(await admission.admit(at(rate, 'u-other')))
  return decisions
}

describe('a Redis that is', () => {
  it('killed: its share of each limit is kept in process, at once', async () => {
    const admission = open()
    await server.kill()
    await until(isDegraded(admission))
    const decisions = Array.from({ length: 10 }, () => atOnce(admission.admit(at(rate))))
    // ceil(10 / 3)
    expect(decisions.map(verdictOf)).toEqual([
      ...Array<string>(4).fill('admitted'),
      ...Array<string>(6).fill('user rate'),
    ])
    expect(decisions.filter(isAdmitted).every(({ degraded }) => degraded)).toBe(true)
  })

  it('frozen: no more than five calls wait for it, and no request is refused for that', async () => {
    const admission = open()
    await admission.admit(at(rate))
    const before = redis.calls.length
    server.freeze()
    const decisions = await askUntilDegraded(admission)
    expect(redis.calls.length - before).toBeLessThanOrEqual(5)
    // ceil(10 / 3) is the local share, whichever call it was that failed.
    expect(decisions.map(verdictOf)).toEqual([...Array<string>(4).fill('admitted'), 'user rate'])
    server.thaw()
    await until(isUp(admission))
  })

  it('frozen under load: no request waits for more than one call', async () => {
    const admission = open()
    server.freeze()
    const before = redis.calls.length
    const decisions = await times(3_000, (i) => admission.admit(at(rate, `u-${i}`)))
    expect(decisions.every(isAdmitted)).toBe(true)
    // Questions for 24 calls: 16 may be unanswered at a time and failed together, and four of those
    // that failed made room for another before the fifth opened the breaker.
    const calls = redis.calls.slice(before)
    expect(calls.length).toBeLessThanOrEqual(20)
    // Those had what the first ones left of their deadline.
    for (const { deadlineMs } of calls.slice(16)) expect(deadlineMs).toBeLessThan(50)
    server.thaw()
  })

  it('absent at start: limits are kept in process until it comes', async () => {
    await server.kill()
    const late = await connect(server.url, 50)
    const admission = openAdmission(late)
    expect(verdictOf(atOnce(admission.admit(at(rate))))).toBe('admitted')
    await server.restart()
    await until(isUp(admission))
    expect(admission.admit(at(rate))).toBeInstanceOf(Promise)
    late.close()
  })

  it('back after it was killed: limits are shared again, and exact', async () => {
    const admission = open()
    await server.kill()
    await until(isDegraded(admission))
    await server.restart()
    await until(isUp(admission))
    const decisions = await times(30, () => admission.admit(at(rate)))
    expect(decisions.filter(isAdmitted)).toHaveLength(10)
    expect(decisions.filter(isAdmitted).some(({ degraded }) => degraded)).toBe(false)
  })

  it('back after it was frozen: what it had counted still counts', async () => {
    const admission = open()
    await times(7, () => admission.admit(at(rate)))
    server.freeze()
    await askUntilDegraded(admission)
    server.thaw()
    await until(isUp(admission))
    const decisions = await times(30, () => admission.admit(at(rate)))
    expect(decisions.filter(isAdmitted)).toHaveLength(3)
  })

  it('unable to write: it is not asked until it can', async () => {
    const admission = open()
    await withClient(server.url, async (client) => {
      await client.config('SET', 'maxmemory', '1')
      await askUntilDegraded(admission)
      const before = redis.calls.length
      // Whatever it answers to probes, it does not pass for one that can be asked.
      await until(() => redis.calls.length >= before + 3)
      expect(admission.health().redis).toMatchObject({ state: 'degraded', outages: 1 })
      await client.config('SET', 'maxmemory', '0')
    })
    await until(isUp(admission))
    expect(verdictOf(await admission.admit(at(rate)))).toBe('admitted')
  })

  it('a replica: it is not asked until it is none', async () => {
    const admission = open()
    await withClient(server.url, async (client) => {
      await client.replicaof('127.0.0.1', '1')
      await askUntilDegraded(admission)
      await client.replicaof('NO', 'ONE')
    })
    await until(isUp(admission))
    expect(verdictOf(await admission.admit(at(rate)))).toBe('admitted')
  })
})

describe('while Redis is away', () => {
  it('a limit that says refuse lets nothing pass', async () => {
    const admission = open()
    await server.kill()
    await until(isDegraded(admission))
    const limits = limitClass({
      user: { window: { requests: 5, windowMs: 60_000 } },
      organization: { window: { requests: 5, windowMs: 60_000 }, whenUnavailable: 'refuse' },
    })
    expect(atOnce(admission.admit(at(limits)))).toEqual({ kind: 'unavailable' })
    expect(admission.health().decisions.unavailable).toBe(1)
  })

  it('a limit that says admit limits nothing, and the others still do', async () => {
    const admission = open()
    await server.kill()
    await until(isDegraded(admission))
    const limits = limitClass({
      user: { window: { requests: 6, windowMs: 60_000 } },
      organization: { concurrent: 1, whenUnavailable: 'admit' },
    })
    const decisions = Array.from({ length: 4 }, () => atOnce(admission.admit(at(limits))))
    expect(decisions.map(verdictOf)).toEqual(['admitted', 'admitted', 'user rate', 'user rate'])
  })

  it('a scope without limits has no say', async () => {
    const admission = open()
    await server.kill()
    await until(isDegraded(admission))
    const limits = limitClass({ organization: { whenUnavailable: 'refuse' } })
    expect(verdictOf(atOnce(admission.admit(at(limits))))).toBe('admitted')
  })

  it('a share is never less than one', async () => {
    const admission = open({ replicas: 50 })
    await server.kill()
    await until(isDegraded(admission))
    expect(verdictOf(atOnce(admission.admit(at(rate))))).toBe('admitted')
    expect(verdictOf(atOnce(admission.admit(at(rate))))).toBe('user rate')
  })

  it('slots that were taken before still count', async () => {
    const admission = open({ replicas: 1 })
    const held = (await times(3, () => admission.admit(at(slots)))).filter(isAdmitted)
    await server.kill()
    await until(isDegraded(admission))
    const decisions = Array.from({ length: 3 }, () => atOnce(admission.admit(at(slots))))
    expect(decisions.map(verdictOf)).toEqual(['admitted', 'user concurrency', 'user concurrency'])
    release(held)
    expect(verdictOf(atOnce(admission.admit(at(slots))))).toBe('admitted')
  })

  it('it says so once, and once when that is over', async () => {
    const admission = open()
    await server.kill()
    await until(isDegraded(admission))
    for (let i = 0; i < 20; i++) await admission.admit(at(rate))
    await server.restart()
    await until(isUp(admission))
    expect(admission.logged.map(({ level }) => level)).toEqual(['warn', 'info'])
    const { redis: health } = admission.health()
    expect(health?.outages).toBe(1)
    expect(health?.degradedMs).toBeGreaterThan(0)
  })

  it('a second outage begins with fresh counts', async () => {
    const admission = open()
    for (let outage = 0; outage < 2; outage++) {
      await server.kill()
      await until(isDegraded(admission))
      const decisions = Array.from({ length: 6 }, () => atOnce(admission.admit(at(rate))))
      expect(decisions.filter(isAdmitted)).toHaveLength(4)
      await server.restart()
      await until(isUp(admission))
    }
  })
})

describe('leases and outages', () => {
  it('what was admitted while Redis was away holds its slots when it is back', async () => {
    const admission = open({ replicas: 1 })
    await server.kill()
    await until(isDegraded(admission))
    const held = await times(4, () => admission.admit(at(slots)))
    await server.restart()
    await until(isUp(admission))
    expect(await leasesInRedis()).toBe(4)
    expect(verdictOf(await admission.admit(at(slots)))).toBe('user concurrency')
    release(held.filter(isAdmitted))
    await until(async () => (await leasesInRedis()) === 0)
  })

  it('what was admitted before Redis lost everything holds its slots when it is back', async () => {
    const admission = open()
    const held = await times(4, () => admission.admit(at(slots)))
    await server.kill()
    await until(isDegraded(admission))
    await server.restart()
    await until(isUp(admission))
    expect(verdictOf(await admission.admit(at(slots)))).toBe('user concurrency')
    release(held.filter(isAdmitted))
    await until(async () => (await leasesInRedis()) === 0)
  })

  it('what ended while Redis was away is given back when it is back', async () => {
    const admission = open()
    const held = await times(4, () => admission.admit(at(slots)))
    server.freeze()
    await askUntilDegraded(admission)
    release(held.filter(isAdmitted))
    server.thaw()
    await until(isUp(admission))
    expect(await leasesInRedis()).toBe(0)
  })

  it('what Redis refused to take back is given back again when it takes it', async () => {
    const admission = open()
    const held = await times(4, () => admission.admit(at(slots)))
    await withClient(server.url, async (client) => {
      await client.replicaof('127.0.0.1', '1')
      const before = admission.health().redis?.failedCalls ?? 0
      release(held.filter(isAdmitted))
      await until(() => (admission.health().redis?.failedCalls ?? 0) > before)
      await client.replicaof('NO', 'ONE')
    })
    await until(async () => (await leasesInRedis()) === 0)
  })

  it('a lease whose grant was never heard of is given back without knowing', async () => {
    const refusing = limitClass({ user: { concurrent: 4, whenUnavailable: 'refuse' } })
    const admission = open()
    await admission.admit(at(rate))
    server.freeze()
    // Redis grants this when it wakes up; by then the caller has had another answer.
    expect(await admission.admit(at(refusing))).toEqual({ kind: 'unavailable' })
    server.thaw()
    await until(async () => (await leasesInRedis()) === 0)
    const decisions = await times(4, () => admission.admit(at(refusing)))
    expect(decisions.map(verdictOf)).toEqual(Array<string>(4).fill('admitted'))
  })

  it('requests that came and went while Redis was away leave nothing to tell it', async () => {
    const admission = open()
    await server.kill()
    await until(isDegraded(admission))
    for (let i = 0; i < 100; i++) {
      const decided = atOnce(admission.admit(at(slots)))
      if (isAdmitted(decided)) decided.permit.release()
    }
    expect(admission.health().redis?.pendingReleases).toBe(0)
    expect(admission.health().heldLeases).toBe(0)
  })
})
