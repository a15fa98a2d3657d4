import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Admission } from '../../src/limits/admission.ts'
import {
  connect,
  isAdmitted,
  limitClass,
  openAdmission,
  times,
  verdictOf,
  type CountedConnection,
  type TestAdmission,
} from '../limits/fixtures.ts'
import { startPartitionedRedis, type PartitionedRedis } from '../support/partitioned-redis.ts'
import { until } from '../support/until.ts'

// Redis in a network namespace of its own, and the link to it taken down: nothing arrives, nothing is
// reset, and neither side is told.

let server: PartitionedRedis
let redis: CountedConnection
let admission: TestAdmission

beforeEach(async () => {
  server = await startPartitionedRedis()
  redis = await connect(server.url, 50)
  admission = openAdmission(redis, { replicas: 2, leaseMs: 60_000 })
})
afterEach(async () => {
  await admission.close()
  redis.close()
  await server[Symbol.asyncDispose]()
})

const window = { requests: 10, windowMs: 600_000 }
const rate = limitClass({ user: { window } })
const slots = limitClass({ user: { concurrent: 4 } })
const ask = (user: string, limits = rate): Admission | Promise<Admission> =>
  admission.admit({ organizationId: 'o-1', principalId: user, limitClass: limits })
const state = () => admission.health().redis?.state

/** Ask until Redis is given up. Nobody is refused for that, and no more than five calls are spent. */
async function untilGivenUp(): Promise<void> {
  const { failedCalls = 0 } = admission.health().redis ?? {}
  for (let i = 0; state() === 'up'; i++) expect(isAdmitted(await ask(`u-${i}`))).toBe(true)
  expect((admission.health().redis?.failedCalls ?? 0) - failedCalls).toBeLessThanOrEqual(5)
}

it('a partition: each side goes on for itself, and it is exact when the link is back', async () => {
  await times(3, () => ask('u-counted'))
  const held = await times(4, () => ask('u-held', slots))
  expect(held.filter(isAdmitted)).toHaveLength(4)
  server.cut()
  await untilGivenUp()
  // Half of 10, for two replicas; and slots that are held are taken, whoever knows of them.
  const decisions = await times(10, () => ask('u-meanwhile'))
  expect(decisions.filter((each) => isAdmitted(each) && each.degraded)).toHaveLength(5)
  expect(verdictOf(await ask('u-held', slots))).toBe('user concurrency')
  // Long enough for the connection to be given up too, without anybody having reset it.
  await until(() => !redis.isReady())
  const [first, second] = held
  for (const each of [first, second]) if (each && isAdmitted(each)) each.permit.release()
  server.mend()
  await until(() => state() === 'up', 20_000)
  // What was counted before still counts, and what was given back meanwhile is free.
  const later = await times(30, () => ask('u-counted'))
  expect(later.filter(isAdmitted)).toHaveLength(7)
  expect(later.some((each) => isAdmitted(each) && each.degraded)).toBe(false)
  const more = await times(4, () => ask('u-held', slots))
  expect(more.filter(isAdmitted)).toHaveLength(2)
}, 60_000)

it('a partition that is over as soon as Redis was given up: exact again, after one outage', async () => {
  await times(3, () => ask('u-counted'))
  server.cut()
  await untilGivenUp()
  server.mend()
  await until(() => state() === 'up', 20_000)
  const later = await times(30, () => ask('u-counted'))
  expect(later.filter(isAdmitted)).toHaveLength(7)
  expect(admission.health().redis?.outages).toBe(1)
}, 60_000)
