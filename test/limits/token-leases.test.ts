import { describe, expect, it } from 'vitest'
import type { AdmissionOptions, LimitClass } from '../../src/limits/admission.ts'
import type { FindOverride } from '../../src/limits/applicable-limits.ts'
import { until } from '../support/until.ts'
import {
  connect,
  isAdmitted,
  limitClass,
  openAdmission,
  shareRedis,
  times,
  verdictOf,
  withClient,
  type TestAdmission,
} from './fixtures.ts'

const shared = shareRedis()

/** 1,000 in ten minutes, 100 of which a process may take ahead. */
const window = { requests: 1_000, windowMs: 600_000, tokenShare: 100 }
const leased = limitClass({ user: { window } })

const at = (limits: LimitClass = leased, principalId = 'u-1') => ({
  organizationId: 'o-1',
  principalId,
  limitClass: limits,
})

async function used(admission: TestAdmission, limits: LimitClass = leased): Promise<number> {
  const counts = await admission.readUse(admission.findLimits(at(limits)).windows)
  return counts?.[0] ?? Number.NaN
}

function callsOf<Result>(during: () => Promise<Result>): Promise<number> {
  const before = shared.redis.calls.length
  return during().then(() => shared.redis.calls.length - before)
}

describe('one process', () => {
  it('admits as many as the limit allows, with a call for every half share', async () => {
    const admission = openAdmission(shared.redis)
    const remaining: number[] = []
    const calls = await callsOf(async () => {
      for (let i = 0; i < 1_100; i++) {
        const decided = await admission.admit(at())
        if (isAdmitted(decided)) remaining.push(decided.limit?.remaining ?? -1)
        // As a client would ask: an answer of Redis arrives in between.
        if (i % 10 === 0) await new Promise(setImmediate)
      }
    })
    expect(remaining).toHaveLength(1_000)
    expect(remaining).toEqual(remaining.toSorted((a, b) => b - a))
    expect(remaining.at(-1)).toBe(0)
    // The first request, a share for each fifty, and the rest of less than a share one by one.
    expect(calls).toBeLessThan(1 + 1_000 / 50 + 100)
    expect(admission.health().decisions.fromTokens).toBeGreaterThan(850)
    await admission.close()
  })

  it('takes no call, and no promise, while it has tokens', async () => {
    const admission = openAdmission(shared.redis)
    await admission.admit(at())
    const decided = await Promise.all([admission.admit(at()), admission.readUse([])])
    expect(isAdmitted(decided[0])).toBe(true)
    const calls = await callsOf(async () => {
      for (let i = 0; i < 40; i++) expect(admission.admit(at())).not.toBeInstanceOf(Promise)
      await new Promise(setImmediate)
    })
    expect(calls).toBe(0)
    await admission.close()
  })

  it('counts what it takes in Redis before anybody is admitted by it', async () => {
    const admission = openAdmission(shared.redis)
    await admission.admit(at())
    await new Promise(setImmediate)
    // One request, and a share.
    expect(await used(admission)).toBe(101)
    for (let i = 0; i < 50; i++) await admission.admit(at())
    await until(async () => (await used(admission)) === 151)
    await admission.close()
  })

  it('weighs a cost, and asks where there is less than that', async () => {
    const admission = openAdmission(shared.redis)
    const costly: LimitClass = { ...leased, cost: 30 }
    let admitted = 0
    for (let i = 0; i < 40; i++) if (isAdmitted(await admission.admit(at(costly)))) admitted += 30
    for (let i = 0; i < 200; i++) if (isAdmitted(await admission.admit(at()))) admitted += 1
    expect(admitted).toBe(1_000)
    await admission.close()
  })

  it('asks for what it has not taken, and takes nothing where that is denied', async () => {
    const both = limitClass({
      user: { window },
      organization: { window: { requests: 10, windowMs: 600_000 }, concurrent: 3 },
    })
    const admission = openAdmission(shared.redis)
    const held = await times(3, () => admission.admit(at(both)))
    expect(held.every(isAdmitted)).toBe(true)
    const more = await times(50, () => admission.admit(at(both)))
    expect(more.map(verdictOf)).toEqual(Array<string>(50).fill('organization concurrency'))
    for (const each of held) if (isAdmitted(each)) each.permit.release()
    const later = []
    for (let i = 0; i < 20; i++) {
      const decided = await admission.admit(at(both))
      if (isAdmitted(decided)) decided.permit.release()
      later.push(decided)
    }
    expect(later.filter(isAdmitted)).toHaveLength(7)
    expect(verdictOf(later.at(-1) ?? fail())).toBe('organization rate')
    // Three one by one and a share: all that was denied went back to it.
    const left = 1_000 - (await used(admission, both))
    const alone = { ...both, organization: leased.organization }
    const rest = await times(1_100, () => admission.admit(at(alone)))
    expect(rest.filter(isAdmitted)).toHaveLength(990)
    expect(left).toBeLessThan(990)
    await admission.close()
  })

  it('describes the limit that binds next, of those it asked about and those it did not', async () => {
    const both = limitClass({
      user: { window: { ...window, requests: 100, tokenShare: 10 } },
      organization: { window: { requests: 95, windowMs: 600_000 } },
    })
    const admission = openAdmission(shared.redis)
    const told: string[] = []
    for (const user of ['u-1', 'u-1', 'u-2', ...Array<string>(95).fill('u-1')]) {
      const decided = await admission.admit(at(both, user))
      if (isAdmitted(decided)) told.push(`${decided.limit?.remaining}/${decided.limit?.limit}`)
    }
    expect(told).toEqual(Array.from({ length: 95 }, (_, i) => `${94 - i}/95`))
    await admission.close()
  })

  it('warns where a share goes past a part that is to be told, once', async () => {
    const warning = limitClass({ user: { window, warnAtPercent: [50, 90] } })
    const admission = openAdmission(shared.redis)
    for (let i = 0; i < 1_000; i++) {
      await admission.admit(at(warning))
      if (i % 10 === 0) await new Promise(setImmediate)
    }
    expect(admission.logged.map(({ level }) => level)).toEqual(['warn', 'warn'])
    await admission.close()
  })

  it('refuses from memory what is exhausted, and asks for no share of it', async () => {
    const admission = openAdmission(shared.redis)
    await times(2_000, () => admission.admit(at()))
    expect(await used(admission)).toBe(1_000)
    const calls = await callsOf(() => times(100, () => admission.admit(at())))
    expect(calls).toBe(0)
    await admission.close()
  })
})

describe('several processes', () => {
  it.each([1, 7, 40])(
    'never admit more than the limit, and all of it once each was asked (%i at once)',
    async (atOnce) => {
      const first = openAdmission(shared.redis, { replicas: 4 })
      const connections = await Promise.all([1, 2, 3].map(() => connect(shared.server.url)))
      const all = [
        first,
        ...connections.map((each) =>
          openAdmission(each, { replicas: 4, keyPrefix: first.keyPrefix }),
        ),
      ]
      let admitted = 0
      for (let turn = 0; turn < 1_400 / atOnce; turn++) {
        const decisions = await times(atOnce, (i) => (all[(turn + i * 3) % 4] ?? first).admit(at()))
        admitted += decisions.filter(isAdmitted).length
        expect(admitted).toBeLessThanOrEqual(1_000)
      }
      expect(admitted).toBe(1_000)
      for (const each of all) await each.close()
      for (const each of connections) each.close()
    },
  )

  it('leave unused, where one of them is not asked any more, no more than its share', async () => {
    const first = openAdmission(shared.redis, { replicas: 2 })
    const second = openAdmission(shared.redis, { replicas: 2, keyPrefix: first.keyPrefix })
    for (let i = 0; i < 30; i++) await second.admit(at())
    const decisions = await times(1_500, () => first.admit(at()))
    const admitted = 30 + decisions.filter(isAdmitted).length
    expect(admitted).toBeLessThanOrEqual(1_000)
    expect(admitted).toBeGreaterThanOrEqual(1_000 - 100)
    // What the other had taken is still to be had from it.
    const rest = await times(200, () => second.admit(at()))
    expect(admitted + rest.filter(isAdmitted).length).toBe(1_000)
    await first.close()
    await second.close()
  })
})

describe('an override', () => {
  let limit = 1_000
  let findOverride: FindOverride = () => limit
  const options: Partial<AdmissionOptions> = { replicas: 2, overrides: () => findOverride }
  const setTo = (to: number): void => {
    limit = to
    findOverride = () => limit
  }

  it('that is lower admits nothing of what was taken by the limit before', async () => {
    setTo(1_000)
    const admission = openAdmission(shared.redis, options)
    for (let i = 0; i < 120; i++) await admission.admit(at())
    expect(await used(admission)).toBeGreaterThan(130)
    setTo(130)
    const decisions = await times(50, () => admission.admit(at()))
    expect(decisions.map(verdictOf)).toEqual(Array<string>(50).fill('user rate'))
    await admission.close()
  })

  it('that is higher keeps what was taken, and begins no window anew', async () => {
    setTo(1_000)
    const admission = openAdmission(shared.redis, options)
    const before = await times(1_200, () => admission.admit(at()))
    expect(before.filter(isAdmitted)).toHaveLength(1_000)
    setTo(1_500)
    const after = await times(1_000, () => admission.admit(at()))
    expect(after.filter(isAdmitted)).toHaveLength(500)
    await admission.close()
  })

  it('that is higher is what remains is told by, at once', async () => {
    setTo(1_000)
    const admission = openAdmission(shared.redis, options)
    await admission.admit(at())
    setTo(2_000)
    const decided = await admission.admit(at())
    expect(isAdmitted(decided) && decided.limit).toMatchObject({ limit: 2_000, remaining: 1_998 })
    await admission.close()
  })

  it('below a share for each process: its requests are counted one by one', async () => {
    setTo(199)
    const admission = openAdmission(shared.redis, options)
    const decisions = await times(300, () => admission.admit(at()))
    expect(decisions.filter(isAdmitted)).toHaveLength(199)
    expect(admission.health().decisions.fromTokens).toBe(0)
    await admission.close()
  })
})

it('without Redis by configuration every request is counted at once, share or not', () => {
  const admission = openAdmission(undefined)
  const decisions = Array.from({ length: 1_100 }, () => admission.admit(at()))
  const admitted = decisions.filter((each) => !(each instanceof Promise) && isAdmitted(each))
  expect(admitted).toHaveLength(1_000)
})

it('a process that is killed takes no more than its share with it', async () => {
  const killed = openAdmission(shared.redis)
  for (let i = 0; i < 10; i++) await killed.admit(at())
  const next = openAdmission(shared.redis, { keyPrefix: killed.keyPrefix })
  const decisions = await times(1_200, () => next.admit(at()))
  const admitted = 10 + decisions.filter(isAdmitted).length
  expect(admitted).toBeGreaterThanOrEqual(1_000 - 100)
  expect(admitted).toBeLessThanOrEqual(1_000)
  await withClient(shared.server.url, async (client) => {
    const [key = ''] = killed.findLimits(at()).windows.map((each) => each.key)
    expect((await client.get(key))?.slice(13)).toBe('1000')
  })
})

function fail(): never {
  throw new Error('Nothing was decided')
}
