import { afterAll, beforeAll, expect, it } from 'vitest'
import { connectRedis, type RedisConnection } from '../../src/redis/connection.ts'
import { isAdmitted, limitClass, openAdmission, times } from '../limits/fixtures.ts'
import { addRestrictedUser, restricted } from '../support/redis-acl.ts'
import { startSentinelSetup, type SentinelSetup } from '../support/redis-topologies.ts'
import { until } from '../support/until.ts'

let setup: SentinelSetup
let redis: RedisConnection

beforeAll(async () => {
  setup = await startSentinelSetup()
  const nodes = setup.sentinels.map(({ host, port }) => ({ host, port }))
  const sentinel = { primary: setup.name, nodes }
  for (const { client } of [setup.primary, setup.replica]) await addRestrictedUser(client, 'test-*')
  const patience = { commandTimeoutMs: 500, connectTimeoutMs: 1_000 }
  redis = await connectRedis({ sentinel, ...restricted, ...patience })
}, 60_000)
afterAll(async () => {
  redis.close()
  await setup.stop()
})

const window = { requests: 20, windowMs: 600_000 }
const limits = limitClass({ user: { window, concurrent: 20 } })
const at = (principalId: string) => ({ organizationId: 'o-1', principalId, limitClass: limits })

it('finds the primary, and after a failover the new one; over-admission stays within a window', async () => {
  const admission = openAdmission(redis, { leaseMs: 60_000 })
  const held = await times(8, () => admission.admit(at('u-1')))
  expect(held.every((each) => isAdmitted(each) && !each.degraded)).toBe(true)
  await setup.primary.client.wait(1, 1_000)
  await setup.primary.kill()
  let admitted = 8
  await until(async () => {
    const decided = await admission.admit(at('u-1'))
    if (isAdmitted(decided)) admitted += 1
    return admission.health().redis?.state === 'up' && isPrimary(await setup.replica.client.role())
  }, 15_000)
  const later = await times(60, () => admission.admit(at('u-1')))
  admitted += later.filter(isAdmitted).length
  // Its own share while Redis was away, beside the limit itself.
  expect(admitted).toBeLessThanOrEqual(20 + 20)
  // What was admitted before and meanwhile holds its slots at the new primary.
  const slots = await setup.replica.client.keys('*}l*')
  const sizes = await Promise.all(slots.map((key) => setup.replica.client.zcard(key)))
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(admission.health().heldLeases)
  await admission.close()
}, 40_000)

function isPrimary(role: unknown): boolean {
  return Array.isArray(role) && role[0] === 'master'
}
