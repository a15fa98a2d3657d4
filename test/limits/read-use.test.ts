import { afterAll, beforeAll, expect, test } from 'vitest'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { connect, limitClass, openAdmission, type TestAdmission } from './fixtures.ts'

let redis: TestRedis
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

const quota = { whenUnavailable: 'local', limit: 100 } as const
const counting = {
  ...limitClass({}),
  cost: 3,
  quotas: [
    { ...quota, name: 'monthly', scope: 'organization', period: 'month' },
    { ...quota, name: 'daily', scope: 'user', period: 'day' },
  ],
} as const

/** What is used after so many requests, as another process sees it too. */
async function usedAfter(admissions: readonly TestAdmission[], requests: number) {
  const subject = { organizationId: 'o', principalId: 'u-1', limitClass: counting }
  const [asking] = admissions
  for (let i = 0; i < requests; i++) await asking?.admit(subject)
  const read = async ({ findLimits, readUse }: TestAdmission, principalId: string) =>
    readUse(findLimits({ ...subject, principalId }).windows)
  return Promise.all(
    admissions.map(async (each) => [await read(each, 'u-1'), await read(each, 'u-2')]),
  )
}

test('what is used of a quota is what was counted, in every process and in process alike', async () => {
  const alone = openAdmission(undefined)
  expect(await usedAfter([alone], 2)).toEqual([
    [
      [6, 6],
      [6, 0],
    ],
  ])
  const connections = await Promise.all([connect(redis.url), connect(redis.url)])
  const keyPrefix = 'use'
  const shared = connections.map((connection) => openAdmission(connection, { keyPrefix }))
  expect(await usedAfter(shared, 0)).toEqual([
    [
      [0, 0],
      [0, 0],
    ],
    [
      [0, 0],
      [0, 0],
    ],
  ])
  expect(await usedAfter(shared, 2)).toEqual([
    [
      [6, 6],
      [6, 0],
    ],
    [
      [6, 6],
      [6, 0],
    ],
  ])
  await Promise.all(shared.map((each) => each.close()))
  for (const connection of connections) connection.close()
})

test('what is used is not told while Redis is away, and reading it is never an error', async () => {
  const connection = await connect(redis.url)
  const admission = openAdmission(connection, { keyPrefix: 'away' })
  await redis.kill()
  expect(await usedAfter([admission], 1)).toEqual([[undefined, undefined]])
  await admission.close()
  connection.close()
})
