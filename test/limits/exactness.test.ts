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
} from './fixtures.ts'

const shared = shareRedis()

const perUser = limitClass({ user: { window: { requests: 100, windowMs: 60_000 } } })
const subject = { organizationId: 'o-1', principalId: 'u-1', limitClass: perUser }

it('of 500 requests at once exactly as many pass as the limit allows', async () => {
  const admission = openAdmission(shared.redis)
  const decisions = await times(500, () => admission.admit(subject))
  const admitted = decisions.filter(isAdmitted)
  expect(admitted.map(({ limit }) => limit?.remaining)).toEqual(
    Array.from({ length: 100 }, (_, i) => 99 - i),
  )
})

it('two processes on one Redis admit exactly as many as the limit allows', async () => {
  const other = await connect(shared.server.url)
  const first = openAdmission(shared.redis)
  const second = openAdmission(other, { keyPrefix: first.keyPrefix })
  let admitted = 0
  for (let turn = 0; turn < 30; turn++) {
    const decisions = await times(10, (i) => (i % 2 ? first : second).admit(subject))
    admitted += decisions.filter(isAdmitted).length
  }
  expect(admitted).toBe(100)
  other.close()
})

it('many users of one organization share its limit exactly, and a refusal costs no user anything', async () => {
  const organization = limitClass({
    user: { window: { requests: 1_000, windowMs: 60_000 } },
    organization: { window: { requests: 50, windowMs: 60_000 } },
  })
  const admission = openAdmission(shared.redis)
  const decisions = await times(200, (i) =>
    admission.admit({ organizationId: 'o-1', principalId: `u-${i % 7}`, limitClass: organization }),
  )
  expect(decisions.filter(isAdmitted)).toHaveLength(50)
  const counted = await withClient(shared.server.url, async (client) => {
    const keys = await client.keys(`${admission.keyPrefix}:*}w*`)
    const values = await client.mget(keys)
    return values.map((value) => Number(value?.slice(13))).reduce((a, b) => a + b, 0)
  })
  expect(counted).toBe(50)
})

it('slots in use never exceed the limit, over two processes and thousands of requests', async () => {
  const other = await connect(shared.server.url)
  const first = openAdmission(shared.redis)
  const both = [first, openAdmission(other, { keyPrefix: first.keyPrefix })] as const
  const slots = limitClass({ user: { concurrent: 8 }, organization: { concurrent: 12 } })
  const inUse = { user: new Map<string, number>(), organization: 0 }
  let admitted = 0
  const request = async (i: number): Promise<void> => {
    const user = `u-${i % 3}`
    const at = { organizationId: 'o-1', principalId: user, limitClass: slots }
    const decided = await both[i % 2 === 0 ? 0 : 1].admit(at)
    if (!isAdmitted(decided)) return
    admitted += 1
    inUse.organization += 1
    inUse.user.set(user, (inUse.user.get(user) ?? 0) + 1)
    expect(inUse.organization).toBeLessThanOrEqual(12)
    expect(inUse.user.get(user)).toBeLessThanOrEqual(8)
    await new Promise(setImmediate)
    inUse.organization -= 1
    inUse.user.set(user, (inUse.user.get(user) ?? 0) - 1)
    decided.permit.release()
  }
  await times(50, async (client) => {
    for (let i = 0; i < 100; i++) await request(client + i)
  })
  expect(admitted).toBeGreaterThan(100)
  // A set without members does not exist: no lease is left.
  await until(() =>
    withClient(shared.server.url, async (client) => {
      return (await client.keys(`${first.keyPrefix}:*}[lL]*`)).length === 0
    }),
  )
  other.close()
})

it('what one turn of the event loop asks travels in one call, of at most 128 decisions', async () => {
  const connection = await connect(shared.server.url)
  const admission = openAdmission(connection)
  const many = limitClass({ organization: { window: { requests: 10_000, windowMs: 60_000 } } })
  const ask = () => admission.admit({ organizationId: 'o-1', principalId: 'u-1', limitClass: many })
  await times(128, ask)
  expect(connection.calls).toHaveLength(1)
  await times(300, ask)
  expect(connection.calls).toHaveLength(4)
  connection.close()
})

it('a release travels with the questions of the next turn, and alone when none come', async () => {
  const connection = await connect(shared.server.url)
  const admission = openAdmission(connection)
  const one = limitClass({ user: { concurrent: 1 } })
  const ask = () => admission.admit({ organizationId: 'o-1', principalId: 'u-1', limitClass: one })
  const first = await ask()
  if (!isAdmitted(first)) throw new Error(verdictOf(first))
  first.permit.release()
  first.permit.release()
  // The slot is free for a request that is asked about in the same call.
  const second = await ask()
  if (!isAdmitted(second)) throw new Error(verdictOf(second))
  expect(connection.calls).toHaveLength(2)
  second.permit.release()
  await until(() => connection.calls.length === 3)
  connection.close()
})

it('a script that Redis forgets under load is loaded again, and the count stays exact', async () => {
  const admission = openAdmission(shared.redis)
  let admitted = 0
  await withClient(shared.server.url, async (client) => {
    for (let turn = 0; turn < 30; turn++) {
      const [decisions] = await Promise.all([
        times(10, () => admission.admit(subject)),
        client.script('FLUSH'),
      ])
      admitted += decisions.filter(isAdmitted).length
    }
  })
  expect(admitted).toBe(100)
  expect(admission.health().redis).toMatchObject({ failedCalls: 0, outages: 0 })
})
