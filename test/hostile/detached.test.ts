import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { rawClient } from '../support/raw-client.ts'
import { until } from '../support/until.ts'
import { expectRefusal } from './refusal.ts'
import { openScene, statusesIn, type Scene } from './scene.ts'

let scene: Scene
beforeAll(async () => {
  scene = await openScene()
})
beforeEach(() => {
  scene.upstream.reset()
})
afterAll(() => scene.close())

/** What Node's server hands over together with its socket. */
const detaching = (): readonly string[] => [
  `GET /x HTTP/1.1\r\nHost: a\r\n${scene.authorization}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
  'GET /x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n',
  'CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n',
]
const get = (): string => `GET /x HTTP/1.1\r\nHost: a\r\n${scene.authorization}\r\n`

test('an upgrade or a tunnel is refused, and what comes with it or after it never passes', async () => {
  for (const bytes of detaching()) {
    expect(expectRefusal(await scene.attack(bytes + get()), bytes)).toBe(501)
    expect(expectRefusal(await scene.attack(bytes, get()), bytes)).toBe(501)
  }
  const body = `POST /x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n\r\nhello`
  expectRefusal(await scene.attack(body + get()), body)
  expect(scene.upstream.requests).toEqual([])
})

test('a client that resets its connection within an upgrade or a tunnel does not end the process', async () => {
  for (const bytes of detaching()) {
    for (let turn = 0; turn < 30; turn++) {
      const client = await rawClient(scene.gateway.port)
      client.send(bytes)
      if (turn % 3 > 0) await new Promise((resolve) => setTimeout(resolve, turn / 5))
      client.socket.resetAndDestroy()
      await until(() => client.socket.closed)
    }
  }
  const text = await scene.attack(get().replace('\r\n', '\r\nConnection: close\r\n'))
  expect(statusesIn(text)).toEqual([200])
})

test('an upgrade or a tunnel behind a request neither takes its answer nor comes before it', async () => {
  for (const bytes of detaching()) {
    scene.upstream.reset()
    scene.upstream.behave((_incoming, outgoing) => setTimeout(() => outgoing.end('mine'), 50))
    const text = await scene.attack(get() + bytes)
    expect(statusesIn(text)).toEqual([200])
    expect(text).toMatch(/mine/)
    expect(scene.upstream.requests).toHaveLength(1)
    await until(() => scene.gateway.inFlight() === 0)
  }
})
