import { afterAll, beforeAll, expect, test } from 'vitest'
import { startFleet, type Fleet } from '../support/fleet.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { recordingUpstream, type RecordingUpstream } from '../support/recording-upstream.ts'

let postgres: TestPostgres
let upstream: RecordingUpstream
let fleet: Fleet

beforeAll(async () => {
  postgres = await startPostgres()
  upstream = await recordingUpstream()
  fleet = await startFleet({
    count: 0,
    databaseUrl: await postgres.createDatabase(),
    groups: [{ name: 'any/v1', paths: { '/any/{name}': { get: {} } }, upstreamUrl: upstream.url }],
  })
})
afterAll(async () => {
  await fleet.stop()
  await upstream.close()
  await postgres.stop()
})

test('a gateway that runs is live and ready, on its admin listener only', async () => {
  const gateway = await fleet.start()
  const admin = `http://127.0.0.1:${gateway.adminPort}`
  expect((await fetch(`${admin}/livez`)).status).toBe(200)
  expect(await (await fetch(`${admin}/readyz`)).json()).toMatchObject({
    status: 'ready',
    parts: { directory: { state: 'up' }, limits: { state: 'up' } },
  })
  for (const path of ['/livez', '/readyz']) {
    expect((await fetch(`http://127.0.0.1:${gateway.port}${path}`)).status).toBe(404)
  }
  gateway.terminate()
  expect(await gateway.exit()).toBe(0)
})
