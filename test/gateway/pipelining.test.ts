import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createPipelining } from '../../src/gateway/pipelining.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { recordingUpstream, type RecordingUpstream } from '../support/recording-upstream.ts'
import { until } from '../support/until.ts'

let upstream: RecordingUpstream
let gateway: TestGateway

beforeEach(async () => {
  upstream = await recordingUpstream()
  gateway = await startGateway({
    groups: [
      {
        name: 'things/v1',
        paths: { '/things/{id}': { get: {}, post: {} }, '/streams/{id}': { get: {} } },
        upstreamUrl: upstream.url,
        upstream: { pipelining: 8, connections: 8 },
      },
    ],
  })
})
afterEach(async () => {
  await gateway.stop()
  await upstream.close()
})

type Held = { readonly socket: Socket; readonly url: string; readonly answer: () => void }

/** Keep every request to come until it is told to be answered. */
function hold(begin: (outgoing: ServerResponse) => void = () => undefined): Held[] {
  const held: Held[] = []
  upstream.behave((incoming: IncomingMessage, outgoing: ServerResponse) => {
    begin(outgoing)
    const { socket, url = '' } = incoming
    held.push({ socket, url, answer: () => outgoing.end(url) })
  })
  return held
}

async function get(path: string, method = 'GET', signal?: AbortSignal): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${gateway.port}${path}`, {
    method,
    headers: { Authorization: gateway.key.authorization },
    ...(signal === undefined ? {} : { signal }),
  })
  expect(response.status).toBe(200)
  return response.text()
}

function eight(kind: string, method = 'GET'): Promise<string>[] {
  return Array.from({ length: 8 }, (_, i) => get(`/${kind}/${i}`, method))
}

/** So many answers in one piece that the operation counts as one that answers so. */
async function prove(): Promise<void> {
  for (let i = 0; i < 20; i += 1) await get('/things/proof')
}

function connectionsOf(held: readonly Held[]): number {
  return new Set(held.map(({ socket }) => socket)).size
}

async function answerInTurn(held: readonly Held[]): Promise<void> {
  for (const { answer } of held) {
    answer()
    await nextTurn()
  }
}

test('requests that may wait for each other go on one connection, and each gets its own answer', async () => {
  await prove()
  const held = hold()
  const answers = eight('things')
  await until(() => held.length === 8)
  expect(connectionsOf(held)).toBe(1)
  await answerInTurn(held)
  expect(await Promise.all(answers)).toEqual(Array.from({ length: 8 }, (_, i) => `/things/${i}`))
})

test('an operation that has not shown how it answers waits for nobody', async () => {
  const held = hold()
  const answers = eight('things')
  await until(() => held.length === 8)
  expect(connectionsOf(held)).toBe(8)
  await answerInTurn(held)
  await Promise.all(answers)
})

test('nothing goes behind a request that may have an effect', async () => {
  await prove()
  const held = hold()
  const answers = eight('things', 'POST')
  await until(() => held.length === 8)
  expect(connectionsOf(held)).toBe(8)
  await answerInTurn(held)
  await Promise.all(answers)
})

test('nothing goes behind a stream', async () => {
  const held = hold((outgoing) => outgoing.write('beginning '))
  for (let round = 0; round < 3; round += 1) {
    held.length = 0
    const answers = eight('streams')
    await until(() => held.length === 8)
    expect(connectionsOf(held)).toBe(8)
    await answerInTurn(held)
    await Promise.all(answers)
  }
})

test('a connection that breaks loses none of the requests on it', async () => {
  await prove()
  const held = hold()
  const answers = eight('things')
  await until(() => held.length === 8)
  held[0]?.socket.destroy()
  await until(() => held.length === 16)
  await answerInTurn(held.slice(8))
  expect((await Promise.all(answers)).toSorted()).toEqual(
    Array.from({ length: 8 }, (_, i) => `/things/${i}`),
  )
})

test('a client that leaves takes no answer of others along', async () => {
  await prove()
  const held = hold()
  const leaving = new AbortController()
  const left = get('/things/left', 'GET', leaving.signal)
  await until(() => held.length === 1)
  const answers = Array.from({ length: 7 }, (_, i) => get(`/things/${i}`))
  await until(() => held.length === 8)
  leaving.abort()
  await expect(left).rejects.toThrow()
  await answerInTurn(held)
  expect(await Promise.all(answers)).toEqual(Array.from({ length: 7 }, (_, i) => `/things/${i}`))
})

test('one answer in pieces ends it, until as many came whole again', () => {
  const operation = {}
  const pipelining = createPipelining()
  const whole = (times: number): void => {
    for (let i = 0; i < times; i += 1) pipelining.note(operation, true)
  }
  whole(15)
  expect(pipelining.allows(operation)).toBe(false)
  whole(1)
  expect(pipelining.allows(operation)).toBe(true)
  pipelining.note(operation, false)
  expect(pipelining.allows(operation)).toBe(false)
  whole(16)
  expect(pipelining.allows(operation)).toBe(true)
})
