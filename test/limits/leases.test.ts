import { setTimeout as pause } from 'node:timers/promises'
import { expect, it } from 'vitest'
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

const leaseMs = 600
const slots = limitClass({ user: { concurrent: 2 }, organization: { concurrent: 3 } })
const subject = { organizationId: 'o-1', principalId: 'u-1', limitClass: slots }

/** How many leases each slot key of an admission holds in Redis. */
function leasesIn({ keyPrefix }: TestAdmission): Promise<readonly number[]> {
  return withClient(shared.server.url, async (client) => {
    const keys = await client.keys(`${keyPrefix}:*}[lL]*`)
    return Promise.all(keys.map((key) => client.zcard(key)))
  })
}

it('the slots of a process that died are free after the time of a lease', async () => {
  const dead = openAdmission(shared.redis, { leaseMs })
  expect((await times(2, () => dead.admit(subject))).map(verdictOf)).toEqual([
    'admitted',
    'admitted',
  ])
  // Nothing renews what it held.
  await dead.close()
  const alive = openAdmission(shared.redis, { leaseMs, keyPrefix: dead.keyPrefix })
  expect(verdictOf(await alive.admit(subject))).toBe('user concurrency')
  await until(async () => isAdmitted(await alive.admit(subject)), leaseMs + 1_000)
  await alive.close()
})

it('a lease is kept for as long as its permit is held', async () => {
  const admission = openAdmission(shared.redis, { leaseMs })
  const held = (await times(2, () => admission.admit(subject))).filter(isAdmitted)
  await pause(3 * leaseMs)
  expect(verdictOf(await admission.admit(subject))).toBe('user concurrency')
  for (const { permit } of held) permit.release()
  expect(verdictOf(await admission.admit(subject))).toBe('admitted')
  await admission.close()
})

it('held leases are renewed together, not one by one', async () => {
  const connection = await connect(shared.server.url)
  const many = limitClass({ organization: { concurrent: 100 } })
  const admission = openAdmission(connection, { leaseMs: 300 })
  await times(50, () => admission.admit({ ...subject, limitClass: many }))
  await pause(900)
  expect(await leasesIn(admission)).toEqual([50])
  expect(connection.calls.length).toBeLessThan(15)
  await admission.close()
  connection.close()
})

it('leases that Redis forgets are entered again by renewal', async () => {
  const admission = openAdmission(shared.redis, { leaseMs })
  await times(2, () => admission.admit(subject))
  await withClient(shared.server.url, (client) => client.flushall())
  await until(async () => (await leasesIn(admission)).join() === '2,2')
  expect(verdictOf(await admission.admit(subject))).toBe('user concurrency')
  await admission.close()
})

it('a lapsed lease makes room even where others of its set are alive', async () => {
  const dead = openAdmission(shared.redis, { leaseMs: 300 })
  await dead.admit(subject)
  await dead.close()
  const alive = openAdmission(shared.redis, { leaseMs: 10_000, keyPrefix: dead.keyPrefix })
  const decisions = await times(2, () => alive.admit(subject))
  expect(decisions.map(verdictOf)).toEqual(['admitted', 'user concurrency'])
  await pause(400)
  const later = await times(2, () => alive.admit(subject))
  expect(later.map(verdictOf)).toEqual(['admitted', 'user concurrency'])
  await alive.close()
})

it('closing tells Redis what was given back last', async () => {
  const admission = openAdmission(shared.redis)
  const held = (await times(2, () => admission.admit(subject))).filter(isAdmitted)
  for (const { permit } of held) permit.release()
  await admission.close()
  expect(await leasesIn(admission)).toEqual([])
})

it('a lease that is given back in the same call does not bring back the limit of its time', async () => {
  let allowed = 2
  let find = () => allowed
  const admission = openAdmission(shared.redis, { overrides: () => find })
  const [first, second] = await times(2, () => admission.admit(subject))
  if (first === undefined || !isAdmitted(first)) throw new Error('The first was refused')
  allowed = 1
  find = () => allowed
  first.permit.release()
  // One is held yet, which is all that is allowed now.
  expect(verdictOf(await admission.admit(subject))).toBe('user concurrency')
  if (second !== undefined && isAdmitted(second)) second.permit.release()
  expect(verdictOf(await admission.admit(subject))).toBe('admitted')
  await admission.close()
})
