import { afterAll, beforeAll, expect, it } from 'vitest'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'
import { connect, isAdmitted, openAdmission, times, verdictOf } from './fixtures.ts'

let server: TestRedis

beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.stop())

it('without Redis an address passes as often as its limit says, and then learns when again', async () => {
  const admission = openAdmission(undefined)
  const decisions = await times(4, () => admission.admitAddress('192.0.2.1'))
  expect(decisions.map(verdictOf)).toEqual(['admitted', 'admitted', 'admitted', 'address rate'])
  expect(decisions[0]).toMatchObject({
    limit: { limit: 3, remaining: 2, resetSeconds: 60 },
    degraded: false,
  })
  expect(decisions[3]).toMatchObject({
    limit: { limit: 3, remaining: 0, resetSeconds: 60 },
    retryAfterSeconds: 60,
  })
  expect(verdictOf(await admission.admitAddress('192.0.2.2'))).toBe('admitted')
})

it.each(['in process', 'in Redis'])(
  'a class with a limit of its own for addresses counts apart, %s',
  async (place) => {
    const redis = place === 'in Redis' ? await connect(server.url) : undefined
    const admission = openAdmission(redis)
    const unlimited = { whenUnavailable: 'local' } as const
    const scopes = { user: unlimited, organization: unlimited }
    const tokens = { name: 'tokens', ...scopes, address: { requests: 5, windowSeconds: 60 } }
    const other = { name: 'other', ...scopes }
    const passing = async (limitClass?: typeof tokens | typeof other): Promise<number> =>
      (await times(9, () => admission.admitAddress('192.0.2.1', limitClass))).filter(isAdmitted)
        .length
    expect(await passing(tokens)).toBe(5)
    expect(await passing(other)).toBe(3)
    expect(await passing()).toBe(0)
    redis?.close()
  },
)

it('processes share the limit of an address exactly', async () => {
  const redis = await connect(server.url)
  const first = openAdmission(redis, { unauthenticated: { requests: 20, windowSeconds: 60 } })
  const second = openAdmission(redis, {
    unauthenticated: { requests: 20, windowSeconds: 60 },
    keyPrefix: first.keyPrefix,
  })
  const decisions = await times(60, (i) => (i % 2 ? first : second).admitAddress('2001:db8::/64'))
  expect(decisions.filter(isAdmitted)).toHaveLength(20)
  redis.close()
})

it('an exhausted address is refused without a call', async () => {
  const redis = await connect(server.url)
  const admission = openAdmission(redis)
  for (let i = 0; i < 3; i++) await admission.admitAddress('192.0.2.1')
  const before = redis.calls.length
  expect(verdictOf(await admission.admitAddress('192.0.2.1'))).toBe('address rate')
  expect(redis.calls.length).toBe(before)
  redis.close()
})

it('while Redis is away an address has this process’s share, and no call waits for Redis', async () => {
  const breakable = await startRedis()
  const redis = await connect(breakable.url, 50)
  const admission = openAdmission(redis, {
    replicas: 2,
    unauthenticated: { requests: 6, windowSeconds: 60 },
  })
  breakable.freeze()
  const decisions = await times(10, () => admission.admitAddress('192.0.2.1'))
  expect(decisions.filter(isAdmitted)).toHaveLength(3)
  expect(admission.health().redis?.state).toBe('degraded')
  const before = redis.calls.filter(({ keys }) => keys[0]?.includes('address')).length
  expect(verdictOf(await admission.admitAddress('192.0.2.2'))).toBe('admitted')
  expect(redis.calls.filter(({ keys }) => keys[0]?.includes('address')).length).toBe(before)
  breakable.thaw()
  await until(() => admission.health().redis?.state === 'up')
  redis.close()
  await breakable.stop()
})
