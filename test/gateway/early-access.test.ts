import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { recordingUpstream, type RecordingUpstream } from '../support/recording-upstream.ts'

const actor = { id: 'test' }

let upstream: RecordingUpstream
let gateway: TestGateway

beforeAll(async () => {
  upstream = await recordingUpstream()
  upstream.behave((_incoming, outgoing) => {
    outgoing.end('{}')
  })
  gateway = await startGateway({
    groups: [
      {
        name: 'early/v1',
        paths: {
          '/open': { get: {} },
          '/early': { get: { 'x-lifecycle-stage': 'Early Access' } },
          '/asked': { get: { 'x-self-access': false, 'x-request-access-name': 'Asked v1' } },
          '/anybody': { get: { 'x-lifecycle-stage': 'Early Access', security: [] } },
        },
        upstreamUrl: upstream.url,
      },
      {
        name: 'whole/v1',
        mount: '/whole',
        paths: { '/things': { get: {}, post: { 'x-lifecycle-stage': 'Deprecated' } } },
        earlyAccess: true,
        upstreamUrl: upstream.url,
      },
      {
        name: 'part/v1',
        mount: '/part',
        paths: { '/things/{id}': { get: {} }, '/others': { get: {} } },
        earlyAccess: ['GET /part/things/{id}'],
        upstreamUrl: upstream.url,
      },
    ],
  })
})
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
})

async function statusOf(path: string): Promise<number> {
  const headers = { authorization: gateway.key.authorization }
  return (await fetch(`http://127.0.0.1:${gateway.port}${path}`, { headers })).status
}

function statuses(): Promise<readonly number[]> {
  return Promise.all(['/open', '/early', '/asked', '/anybody'].map(statusOf))
}

test('Early Access is for organizations with a grant, and for nobody who is not known', async () => {
  const { accessGrants } = gateway.directory
  const { organizationId } = gateway
  expect(await statuses()).toEqual([200, 403, 403, 403])

  await accessGrants.create({ organizationId, name: 'Asked v1' }, actor)
  expect(await statuses()).toEqual([200, 403, 200, 403])

  await accessGrants.create({ organizationId, name: 'early/v1' }, actor)
  expect(await statuses()).toEqual([200, 200, 200, 403])

  await accessGrants.delete({ organizationId, name: 'early/v1' }, actor)
  await accessGrants.delete({ organizationId, name: 'Asked v1' }, actor)
  expect(await statuses()).toEqual([200, 403, 403, 403])
})

test('what is refused for want of a grant never reaches the upstream, and says why', async () => {
  const before = upstream.requests.length
  const headers = { authorization: gateway.key.authorization }
  const response = await fetch(`http://127.0.0.1:${gateway.port}/early`, { headers })
  const { error } = (await response.json()) as { error: { code: string; details: string } }
  expect([error.code, error.details]).toEqual([
    'ACCESS_DENIED',
    'The operation is in Early Access, which the organization was not granted.',
  ])
  expect(upstream.requests).toHaveLength(before)
})

test('the configuration puts a group, or some of its operations, into Early Access too', async () => {
  const { accessGrants } = gateway.directory
  const { organizationId } = gateway
  const all = (): Promise<readonly number[]> =>
    Promise.all(['/whole/things', '/part/things/1', '/part/others'].map(statusOf))
  expect(await all()).toEqual([403, 403, 200])
  const headers = { authorization: gateway.key.authorization }
  const post = { method: 'POST', headers }
  // What is deprecated stays so, and needs the grant as well.
  const url = `http://127.0.0.1:${gateway.port}/whole/things`
  expect((await fetch(url, post)).status).toBe(403)

  await accessGrants.create({ organizationId, name: 'whole/v1' }, actor)
  expect(await all()).toEqual([200, 403, 200])
  expect((await fetch(url, post)).status).toBe(200)
  await accessGrants.create({ organizationId, name: 'part/v1' }, actor)
  expect(await all()).toEqual([200, 200, 200])
})
