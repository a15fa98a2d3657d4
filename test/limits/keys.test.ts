import { afterAll, beforeAll, expect, it } from 'vitest'
import { createFindLimits } from '../../src/limits/applicable-limits.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { connect, isAdmitted, limitClass, openAdmission, times, withClient } from './fixtures.ts'

const everything = {
  window: { requests: 1, windowMs: 60_000 },
  concurrent: 5,
}
const limits = limitClass({ user: everything, organization: everything })

const oddIds = [
  '',
  '{o-1}',
  '}{',
  'o-1}:standard:organization',
  'o:1',
  'a\r\nSET x 1\r\n',
  '\0',
  ' ',
  '🔑',
  '__proto__',
  'x'.repeat(300),
  'x'.repeat(301),
  '~o',
]

let server: TestRedis

beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.stop())

it('every key has an expiry, within its window or its lease', async () => {
  const redis = await connect(server.url)
  const admission = openAdmission(redis, { leaseMs: 20_000 })
  const many = { window: { requests: 100, windowMs: 60_000 }, concurrent: 100 }
  const limitsOfAll = limitClass({ user: many, organization: many })
  for (let turn = 0; turn < 3; turn++) {
    await times(10, (i) =>
      admission.admit({
        organizationId: `o-${i % 2}`,
        principalId: `u-${i}`,
        limitClass: limitsOfAll,
      }),
    )
  }
  await admission.admitAddress('192.0.2.1')
  await withClient(server.url, async (client) => {
    const keys = await client.keys('*')
    expect(keys.length).toBeGreaterThan(4)
    for (const key of keys) {
      const ms = await client.pttl(key)
      expect(ms, key).toBeGreaterThan(0)
      expect(ms, key).toBeLessThanOrEqual(/\}[lL]|:slots$/.test(key) ? 20_000 : 60_000)
    }
  })
  redis.close()
})

it('all keys of a request carry one hash tag, that of its organization, and say nothing of any id', () => {
  const { windows, slots } = createFindLimits('gatehouse')({
    organizationId: 'o-1',
    principalId: '{u-1}',
    limitClass: limits,
  })
  // The first letters of base64url(SHA-256(…)), as docs/limits.md says.
  const user = '0Lpy8xBpLgj'
  const organization = 'sc9pWlJwgA4'
  expect([...windows, ...slots].map(({ key }) => key)).toEqual([
    `gatehouse:{XL3L}w${user}`,
    `gatehouse:{XL3L}W${organization}`,
    `gatehouse:{XL3L}l${user}`,
    `gatehouse:{XL3L}L${organization}`,
  ])
})

it('no two ids share a key, whatever they are made of', () => {
  const findLimits = createFindLimits('gatehouse')
  const keys = oddIds.flatMap((organizationId) =>
    oddIds.flatMap((principalId) => {
      const found = findLimits({ organizationId, principalId, limitClass: limits })
      return [...found.windows, ...found.slots]
        .filter(({ scope }) => scope === 'user')
        .map(({ key }) => key)
    }),
  )
  expect(new Set(keys).size).toBe(2 * oddIds.length ** 2)
  for (const key of keys) expect(key).toMatch(/^gatehouse:\{[\w-]{4}\}[wl][\w-]{11}$/)
})

it('odd ids are limited like any other, each for itself', async () => {
  const redis = await connect(server.url)
  const admission = openAdmission(redis)
  const ask = (id: string) =>
    admission.admit({ organizationId: id, principalId: id, limitClass: limits })
  for (const id of oddIds) expect(isAdmitted(await ask(id)), id).toBe(true)
  for (const id of oddIds) expect(isAdmitted(await ask(id)), id).toBe(false)
  redis.close()
})

it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])(
  'a limit of %d is refused as the mistake it is',
  (value) => {
    const admission = openAdmission(undefined)
    const ask = (user: Parameters<typeof limitClass>[0]['user']) => () =>
      admission.admit({
        organizationId: 'o-1',
        principalId: 'u-1',
        limitClass: limitClass({ ...(user && { user }) }),
      })
    expect(ask({ concurrent: value })).toThrow(RangeError)
    expect(ask({ window: { requests: value, windowMs: 1_000 } })).toThrow(RangeError)
    expect(ask({ window: { requests: 1, windowMs: value } })).toThrow(RangeError)
  },
)
