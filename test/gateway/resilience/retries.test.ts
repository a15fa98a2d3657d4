import { expect, test } from 'vitest'
import { createRetries } from '../../../src/gateway/resilience/retries.ts'
import { rawClient } from '../../support/raw-client.ts'
import type { Behaviour, RecordingUpstream } from '../../support/recording-upstream.ts'
import { until } from '../../support/until.ts'
import { answers, breaks } from './answers.ts'
import { alike, countsOf, deadUrl, useScene } from './scene.ts'

const scene = useScene()

function sum(instances: readonly RecordingUpstream[]): number {
  return countsOf(instances).reduce((all, count) => all + count, 0)
}

/** Instances that all behave alike but for the last, which answers 200. */
async function arrange(count: number, behave: Behaviour, upstream: object = {}) {
  const instances = await scene.arrange(count, (urls) => ({
    instances: alike(urls),
    retries: {},
    ...upstream,
  }))
  for (const instance of instances.slice(0, -1)) instance.behave(behave)
  return instances
}

test.each<[string, Behaviour]>([
  ['breaks the connection', breaks],
  ['answers 502', answers(502)],
  ['answers 503', answers(503)],
  ['answers 504', answers(504)],
  ['does not answer in time', () => undefined],
])('a GET that one instance %s goes to another', async (_, behave) => {
  const instances = await arrange(2, behave, { headersTimeoutMs: 300 })
  const statuses = [await scene.send('GET /things/1'), await scene.send('GET /things/2')]
  expect(statuses.map(({ status }) => status)).toEqual([200, 200])
  expect(countsOf(instances)).toEqual([1, 2])
})

test.each([
  ['breaks the connection', breaks, 502],
  ['answers 503', answers(503), 503],
  ['does not answer in time', () => undefined, 504],
] as const)('a POST that an instance %s is never sent again', async (_, behave, status) => {
  const instances = await scene.arrange(2, (urls) => ({
    ...{ instances: alike(urls), retries: {}, headersTimeoutMs: 300 },
  }))
  for (const instance of instances) instance.behave(behave)
  const bodies = [
    { fields: ['Content-Length: 5'], body: 'hello' },
    { fields: ['Content-Length: 0'], body: '' },
  ]
  for (const { fields, body } of bodies)
    expect((await scene.send('POST /things/1', fields, body)).status).toBe(status)
  expect(sum(instances)).toBe(2)
})

test('a POST whose connection was refused is sent on, whole and once, however often it is refused', async () => {
  const dead = [await deadUrl(), await deadUrl()]
  const instances = await scene.arrange(1, (urls) => ({
    ...{ instances: alike([...dead, ...urls]), retries: { budgetPercent: 0, burst: 1 } },
  }))
  for (let i = 0; i < 6; i += 1) {
    const { status } = await scene.send('POST /things/1', ['Content-Length: 5'], 'hello')
    expect(status).toBe(200)
  }
  expect(instances[0]?.requests.map(({ body }) => String(body))).toEqual(
    Array.from({ length: 6 }, () => 'hello'),
  )
})

test('an idempotent request of whose body something was read is not sent again', async () => {
  const instances = await arrange(2, (incoming) => {
    incoming.once('data', () => incoming.socket.destroy())
  })
  const send = () => scene.send('PUT /things/1', ['Content-Length: 5'], 'hello')
  const statuses = [(await send()).status, (await send()).status]
  expect(statuses.toSorted()).toEqual([200, 502])
  expect(sum(instances)).toBe(2)
})

test.each([429, 503])('a %i that says when to come back is passed on with it', async (status) => {
  const instances = await arrange(2, answers(status, { 'Retry-After': '7' }))
  const both = [await scene.send('GET /things/1'), await scene.send('GET /things/2')]
  const refused = both.find((answer) => answer.status === status)
  expect(refused?.field('Retry-After')).toBe('7')
  expect(sum(instances)).toBe(2)
})

test.each([400, 404, 429, 500])('a %i is an answer, and passed on', async (status) => {
  const instances = await arrange(2, answers(status))
  const both = [await scene.send('GET /things/1'), await scene.send('GET /things/2')]
  expect(both.map((answer) => answer.status).toSorted()).toEqual([200, status].toSorted())
  expect(sum(instances)).toBe(2)
})

test('an answer that has begun is not begun again', async () => {
  const instances = await arrange(2, (incoming, outgoing) => {
    outgoing.writeHead(200, { 'Content-Length': 10 })
    outgoing.write('half', () => incoming.socket.destroy())
  })
  const { authorization } = scene.gateway().key
  const client = await rawClient(scene.gateway().port)
  client.send(`GET /things/1 HTTP/1.1\r\nHost: a\r\nAuthorization: ${authorization}\r\n\r\n`)
  expect(await client.ended()).toMatch(/half$/)
  expect(sum(instances)).toBe(1)
})

test('a request is sent as often as may be, each time elsewhere, and then answered', async () => {
  const instances = await arrange(4, answers(503), { retries: { maxAttempts: 3 } })
  instances[3]?.behave(answers(503))
  expect((await scene.send('GET /things/1')).status).toBe(503)
  expect(countsOf(instances).toSorted()).toEqual([0, 1, 1, 1])
})

test('the only instance is asked again after a moment', async () => {
  let request = 0
  const instances = await arrange(1, breaks)
  instances[0]?.behave((incoming, outgoing) => {
    request += 1
    answers(request < 3 ? 503 : 200)(incoming, outgoing)
  })
  expect((await scene.send('GET /things/1')).status).toBe(200)
  expect(countsOf(instances)).toEqual([3])
})

test('a client that goes away between two attempts ends them', async () => {
  const instances = await arrange(1, breaks, { retries: { maxAttempts: 10 } })
  const { authorization } = scene.gateway().key
  const client = await rawClient(scene.gateway().port)
  instances[0]?.behave((incoming, outgoing) => {
    client.close()
    answers(503)(incoming, outgoing)
  })
  client.send(`GET /things/1 HTTP/1.1\r\nHost: a\r\nAuthorization: ${authorization}\r\n\r\n`)
  await until(() => sum(instances) > 0)
  await until(() => scene.gateway().inFlight() === 0)
  const line = () => scene.said('verdict').find(({ path }) => path === '/things/1')
  await until(() => line() !== undefined)
  expect(line()).toMatchObject({ verdict: 'client-gone', status: 499 })
  expect(sum(instances)).toBeLessThan(4)
})

test('all attempts end with the total deadline', async () => {
  const instances = await arrange(1, breaks, {
    ...{ retries: { maxAttempts: 10 }, totalTimeoutMs: 150 },
  })
  instances[0]?.behave(answers(503))
  const answer = await scene.send('GET /things/1')
  expect([answer.status, scene.gateway().inFlight()]).toEqual([504, 0])
  expect(sum(instances)).toBeLessThan(10)
})

test('retries are a share of the requests, once the burst is used up; the rest is answered as it is', async () => {
  const instances = await scene.arrange(2, (urls) => ({
    instances: alike(urls),
    retries: { maxAttempts: 2, budgetPercent: 10, burst: 3 },
  }))
  const retried = async (outcome: string) =>
    (await scene.metric('gatehouse_upstream_retries_total', { outcome })) ?? 0
  const before = [await retried('sent'), await retried('without_budget')]
  for (const instance of instances) instance.behave(answers(503))
  for (let i = 0; i < 40; i += 1) await scene.send('GET /things/1')
  // The burst of three, and a tenth of what came.
  const sent = sum(instances) - 40
  expect(sent).toBe(6)
  expect([await retried('sent'), await retried('without_budget')]).toEqual([
    (before[0] ?? 0) + 6,
    (before[1] ?? 0) + 34,
  ])
})

test('what is not used of the budget is kept, up to the burst', () => {
  const retries = createRetries({ maxAttempts: 3, budgetPercent: 20, burst: 2 })
  const take = (times: number) => Array.from({ length: times }, () => retries.take())
  expect(take(3)).toEqual([true, true, false])
  for (let i = 0; i < 4; i += 1) retries.note()
  expect(take(1)).toEqual([false])
  retries.note()
  expect(take(2)).toEqual([true, false])
  for (let i = 0; i < 100; i += 1) retries.note()
  expect(take(3)).toEqual([true, true, false])
})
