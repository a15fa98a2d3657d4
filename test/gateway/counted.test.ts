import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { metricsOf } from '../support/metrics.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { rawExchange } from '../support/raw-client.ts'
import { recordingUpstream, type RecordingUpstream } from '../support/recording-upstream.ts'
import { until } from '../support/until.ts'

let upstream: RecordingUpstream
let gateway: TestGateway

const things = { '/things': { post: { operationId: 'createThing' }, get: {} } }

beforeAll(async () => {
  upstream = await recordingUpstream()
  gateway = await startGateway({
    services: ['gatehouse'],
    groups: [
      {
        name: 'things/v1',
        upstreamUrl: upstream.url,
        paths: { ...things, '/things/{id}': { delete: {} } },
        counts: [
          { quota: 'things', creates: ['createThing'], deletes: ['DELETE /things/{id}'] },
          { quota: 'mine', creates: ['createThing'], deletes: ['DELETE /things/{id}'] },
        ],
      },
      {
        name: 'shadowed/v1',
        mount: '/shadowed',
        upstreamUrl: upstream.url,
        paths: things,
        counts: [{ quota: 'watched', creates: ['createThing'] }],
      },
      {
        name: 'rated/v1',
        mount: '/rated',
        upstreamUrl: upstream.url,
        limitClass: 'rated',
        paths: things,
        counts: [{ quota: 'rare', creates: ['createThing'] }],
      },
      {
        name: 'retried/v1',
        mount: '/retried',
        upstreamUrl: '',
        upstream: { urls: [upstream.url], retries: { maxAttempts: 2, burst: 1_000 } },
        paths: { '/things/{id}': { put: {}, delete: {} } },
        counts: [
          {
            quota: 'retried',
            creates: ['PUT /retried/things/{id}'],
            deletes: ['DELETE /retried/things/{id}'],
          },
        ],
      },
    ],
    configuration: {
      limits: {
        countedResources: {
          things: { scope: 'organization', limit: 2, warnAtPercent: [100] },
          mine: { scope: 'user', limit: 9 },
          watched: { scope: 'organization', limit: 1, mode: 'shadow' },
          rare: { scope: 'organization', limit: 1 },
          retried: { scope: 'organization', limit: 1 },
        },
        classes: { standard: {}, rated: { user: { requests: 1, windowSeconds: 3_600 } } },
      },
    },
  })
})
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
})

beforeEach(async () => {
  upstream.reset()
  for (let i = 0; i < 4; i++) await ask('DELETE', '/things/any')
  await until(async () => (await used('things')) === 0)
})

function ask(method: string, path: string): Promise<Response> {
  const headers = { authorization: gateway.key.authorization }
  return fetch(`http://127.0.0.1:${gateway.port}${path}`, { method, headers })
}

/** What the caller is told that a request would count. */
async function explained(method: string, url: string): Promise<unknown> {
  const answer = await fetch(`http://127.0.0.1:${gateway.port}/gatehouse/v1/explanations`, {
    method: 'POST',
    headers: {
      authorization: gateway.key.authorization,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ method, url }),
  })
  return ((await answer.json()) as { readonly limits: unknown }).limits
}

/** What the record says that the organization, or the user, has. */
async function used(quota: string, whose: 'organization' | 'user' = 'organization') {
  const { organizationId, userId, directory } = gateway
  const counts = await directory.resourceCounts.read(organizationId, userId)
  return counts[whose].get(quota) ?? 0
}

function answering(status: number): void {
  upstream.behave((_incoming, outgoing) => outgoing.writeHead(status).end())
}

it('what is created counts until it is deleted, and 402 says which quota and what it allows', async () => {
  answering(201)
  for (let i = 0; i < 2; i++) expect((await ask('POST', '/things')).status).toBe(201)
  const refused = await ask('POST', '/things')
  expect(refused.status).toBe(402)
  expect(refused.headers.get('retry-after')).toBeNull()
  expect(await refused.json()).toMatchObject({
    status: '402',
    error: {
      code: 'QUOTA_EXCEEDED',
      details: 'The quota things allows the organization 2, of which none is left.',
    },
  })
  expect(upstream.requests.filter(({ method }) => method === 'POST')).toHaveLength(2)
  expect((await ask('GET', '/things')).status).toBe(201)
  expect((await ask('DELETE', '/things/one')).status).toBe(201)
  await until(async () => (await used('things')) === 1)
  expect((await ask('POST', '/things')).status).toBe(201)
  await until(async () => (await used('things')) === 2)
})

it('each quota that an operation counts in has its own count, of the organization or the user', async () => {
  answering(201)
  await ask('POST', '/things')
  await until(async () => (await used('mine', 'user')) === 1)
  expect([await used('things'), await used('things', 'user'), await used('mine')]).toEqual([
    1, 0, 0,
  ])
})

it('what the upstream refuses, fails at or is lost over does not count', async () => {
  for (const status of [302, 400, 409, 500]) {
    answering(status)
    await fetch(`http://127.0.0.1:${gateway.port}/things`, {
      method: 'POST',
      headers: { authorization: gateway.key.authorization },
      redirect: 'manual',
    })
  }
  upstream.behave((incoming) => incoming.socket.destroy())
  expect((await ask('POST', '/things')).status).toBe(502)
  answering(201)
  for (let i = 0; i < 2; i++) expect((await ask('POST', '/things')).status).toBe(201)
  expect((await ask('POST', '/things')).status).toBe(402)
})

it('a place is kept while the upstream is asked again, and counts once', async () => {
  let again = (): void => undefined
  upstream.reset()
  upstream.behave((_incoming, outgoing) => {
    if (upstream.requests.length === 1) outgoing.writeHead(503).end()
    else again = () => void outgoing.writeHead(201).end()
  })
  const first = ask('PUT', '/retried/things/1')
  await until(() => upstream.requests.length === 2)
  // The one that failed before is the one that is on its way: its place is nobody else's.
  expect((await ask('PUT', '/retried/things/2')).status).toBe(402)
  again()
  expect((await first).status).toBe(201)
  await until(async () => (await used('retried')) === 1)
  upstream.reset()
  answering(503)
  expect((await ask('DELETE', '/retried/things/1')).status).toBe(503)
  expect(upstream.requests).toHaveLength(2)
  expect(await used('retried')).toBe(1)
  upstream.reset()
  upstream.behave((_incoming, outgoing) =>
    outgoing.writeHead(upstream.requests.length === 1 ? 503 : 204).end(),
  )
  expect((await ask('DELETE', '/retried/things/1')).status).toBe(204)
  await until(async () => (await used('retried')) === 0)
  upstream.reset()
  answering(503)
  expect((await ask('PUT', '/retried/things/1')).status).toBe(503)
  answering(201)
  expect((await ask('PUT', '/retried/things/1')).status).toBe(201)
  await until(async () => (await used('retried')) === 1)
})

it('what the upstream does not delete is not given back', async () => {
  answering(201)
  await ask('POST', '/things')
  answering(404)
  await ask('DELETE', '/things/unknown')
  answering(201)
  await ask('POST', '/things')
  expect((await ask('POST', '/things')).status).toBe(402)
})

it('a place is reserved while the upstream decides, and free again when the client goes away', async () => {
  let answer = (): void => undefined
  upstream.behave((_incoming, outgoing) => {
    answer = () => void outgoing.writeHead(201).end()
  })
  const head = [
    'POST /things HTTP/1.1',
    'Host: x',
    `Authorization: ${gateway.key.authorization}`,
    'Content-Length: 0',
  ]
  const abandoned = new AbortController()
  const pending = fetch(`http://127.0.0.1:${gateway.port}/things`, {
    method: 'POST',
    headers: { authorization: gateway.key.authorization },
    signal: abandoned.signal,
  }).catch(() => undefined)
  await until(() => upstream.inFlight() === 1)
  const answered = rawExchange(gateway.port, `${head.join('\r\n')}\r\n\r\n`)
  await until(() => upstream.inFlight() === 2)
  expect((await ask('POST', '/things')).status).toBe(402)
  abandoned.abort()
  await pending
  answer()
  expect((await answered).status).toBe(201)
  answering(201)
  await until(async () => (await ask('POST', '/things')).status === 201)
  expect((await ask('POST', '/things')).status).toBe(402)
})

it('an override is the limit, without a restart', async () => {
  const { organizationId, directory } = gateway
  const name = { organizationId, limitName: 'things' }
  const { id } = await directory.limitOverrides.create({ ...name, limit: 1 }, { id: 'test' })
  answering(201)
  expect((await ask('POST', '/things')).status).toBe(201)
  expect((await ask('POST', '/things')).status).toBe(402)
  await directory.limitOverrides.delete(id, { id: 'test' })
  expect((await ask('POST', '/things')).status).toBe(201)
})

it('an explanation lists what an operation counts, as it is overridden, and no quota that refuses nothing', async () => {
  const { organizationId, directory } = gateway
  const name = { organizationId, limitName: 'things' }
  const { id } = await directory.limitOverrides.create({ ...name, limit: 7 }, { id: 'test' })
  const things = { name: 'things', scope: 'organization', limit: 7 }
  const mine = { name: 'mine', scope: 'user', limit: 9 }
  expect(await explained('POST', '/things')).toEqual([
    { ...things, kind: 'creates' },
    { ...mine, kind: 'creates' },
  ])
  expect(await explained('DELETE', '/things/1')).toEqual([
    { ...things, kind: 'deletes' },
    { ...mine, kind: 'deletes' },
  ])
  expect(await explained('GET', '/things')).toEqual([])
  expect(await explained('POST', '/shadowed/things')).toEqual([])
  await directory.limitOverrides.delete(id, { id: 'test' })
})

it('creations that find no room show in the metrics', async () => {
  answering(201)
  const refusals = async () =>
    Number(/^gatehouse_counting_refusals_total (\d+)$/m.exec(await metricsOf(gateway))?.[1])
  const before = await refusals()
  for (let i = 0; i < 3; i++) await ask('POST', '/things')
  expect((await refusals()) - before).toBe(1)
})

it('many at once never create more than the quota allows', async () => {
  answering(201)
  const statuses = await Promise.all(
    Array.from({ length: 20 }, async () => (await ask('POST', '/things')).status),
  )
  expect(statuses.filter((status) => status === 201)).toHaveLength(2)
  expect(statuses.filter((status) => status === 402)).toHaveLength(18)
})

it('a quota in shadow mode counts and is named in the log, but refuses nothing', async () => {
  answering(201)
  for (let i = 0; i < 2; i++) expect((await ask('POST', '/shadowed/things')).status).toBe(201)
  await until(async () => (await used('watched')) === 2)
  const lines = gateway.log.filter(({ group, verdict }) => group === 'shadowed/v1' && verdict)
  expect(lines.map(({ shadow }) => shadow)).toEqual([undefined, 'watched'])
  expect(await metricsOf(gateway)).toContain('\ngatehouse_counting_shadowed_total 1\n')
})

it('the log says when a quota of resources is used up to a configured part', async () => {
  answering(201)
  for (let i = 0; i < 2; i++) await ask('POST', '/things')
  await until(async () => (await used('things')) === 2)
  const warned = gateway.log.filter(({ limit }) => limit === 'things')
  expect(warned.at(-1)).toMatchObject({ percent: 100, used: 2, allowed: 2, scope: 'organization' })
})

it('an operation that is said to count but is not served is refused by name', async () => {
  const starting = startGateway({
    groups: [
      {
        name: 'things/v1',
        upstreamUrl: upstream.url,
        paths: things,
        counts: [{ quota: 'things', creates: ['createThings'] }],
      },
    ],
    configuration: {
      limits: {
        countedResources: { things: { scope: 'user', limit: 1 } },
        classes: { standard: {} },
      },
    },
  })
  await expect(starting).rejects.toThrow('things: no operation "createThings"')
})

it('what a rate refuses reserves nothing', async () => {
  answering(500)
  await ask('POST', '/rated/things')
  expect((await ask('POST', '/rated/things')).status).toBe(429)
  expect(
    await gateway.directory.resourceCounts.reserve(
      { organizationId: gateway.organizationId, principalId: undefined, quota: 'rare' },
      'probe',
      1,
      1_000,
    ),
  ).toBe(1)
})
