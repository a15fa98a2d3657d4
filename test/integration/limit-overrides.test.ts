import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Fleet } from '../support/fleet.ts'
import { startSharedFleet, type SharedFleet } from '../support/shared-fleet.ts'
import { until } from '../support/until.ts'

let shared: SharedFleet
let fleet: Fleet

beforeAll(async () => {
  shared = await startSharedFleet(({ redis, upstream }) => ({
    count: 2,
    redisUrl: redis.url,
    groups: [{ name: 'things', paths: { '/things': { get: {} } }, upstreamUrl: upstream.url }],
    limits: { user: { requests: 3, windowSeconds: 600 } },
  }))
  ;({ fleet } = shared)
}, 60_000)
afterAll(() => shared.stop())

async function ask(replica: number) {
  const headers = { authorization: fleet.authorization }
  const answer = await fetch(`http://127.0.0.1:${fleet.gateways[replica]?.port}/things`, {
    headers,
  })
  const { status, headers: fields } = answer
  return {
    status,
    limit: fields.get('x-ratelimit-limit'),
    left: fields.get('x-ratelimit-remaining'),
  }
}

const actor = { id: 'operator' }

it('a limit is changed on every replica within a second, and what was counted stays', async () => {
  for (let i = 0; i < 3; i++) expect((await ask(i % 2)).status).toBe(200)
  // Both remember that the window is exhausted.
  for (const replica of [0, 1]) expect((await ask(replica)).status).toBe(429)
  const { organizationId, userId: principalId } = fleet
  const name = { organizationId, principalId, limitName: 'standard.user.requests' }
  const { limitOverrides } = fleet.directory
  const { id } = await limitOverrides.create({ ...name, limit: 10 }, actor)
  await until(async () => (await ask(0)).limit === '10', 1_000)
  await until(async () => (await ask(1)).limit === '10', 1_000)
  const { left } = await ask(0)
  // Six and more were counted, of which three before the change.
  expect(Number(left)).toBeLessThanOrEqual(4)
  await limitOverrides.update(id, { limit: 2 }, actor)
  for (const replica of [0, 1]) await until(async () => (await ask(replica)).status === 429, 1_000)
  await limitOverrides.delete(id, actor)
  await until(async () => (await ask(1)).limit === '3', 1_000)
})
