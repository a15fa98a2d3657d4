import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { rawClient } from '../support/raw-client.ts'
import { until } from '../support/until.ts'
import { openScene, statusesIn, type Scene } from './scene.ts'

// A connection is kept far longer idle than any client may be slow, so that only slowness closes one.
const requests = { headersTimeoutMs: 400, idleTimeoutMs: 2_000, keepAliveTimeoutMs: 600_000 }

// Both before any test: to start a gateway holds up this process, and with it whoever must be in time.
let scene: Scene
let leisurely: Scene
beforeAll(async () => {
  scene = await openScene({ requests }, {}, ['oauth'])
  leisurely = await openScene({ requests }, { minBodyBytesPerSecond: 0 })
})
afterAll(async () => {
  await scene.close()
  await leisurely.close()
})

/** Send a beginning, then a drop again and again, until the gateway closes the connection. */
async function drip(beginning: string, drop: string): Promise<string> {
  const client = await rawClient(scene.gateway.port)
  client.send(beginning)
  const tap = setInterval(() => {
    if (client.socket.writable) client.send(drop)
  }, 50)
  try {
    return await client.ended()
  } finally {
    clearInterval(tap)
    client.close()
  }
}

// Concurrent tests wait for seconds, each on a connection of its own and with nothing of the others'.
describe('a client that is slow is cut off', () => {
  test.concurrent.each([
    ['that sends nothing', '', ''],
    ['within the request line', 'GET /x HT', ''],
    ['within a head that goes on and on', 'GET /x HTTP/1.1\r\nHost: a\r\n', 'X: a\r\n'],
    ['within a head behind a request', 'GET /x HTTP/1.1\r\nHost: a\r\n\r\nGET /x HT', ''],
  ])('%s', async (_name, beginning, drop) => {
    const statuses = statusesIn(await drip(beginning, drop))
    expect([[408], [401, 408], [401]]).toContainEqual(statuses)
  })

  const post = 'POST /x HTTP/1.1\r\nHost: a\r\n'
  test.concurrent.each([
    ['nothing of it', `${post}Content-Length: 10\r\n\r\n`, ''],
    ['one byte after another', `${post}Content-Length: 60000\r\n\r\n`, 'a'],
    ['one chunk after another', `${post}Transfer-Encoding: chunked\r\n\r\n`, '1\r\na\r\n'],
    ['to a path that is none', 'GET /no HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n', 'a'],
  ])('within the body of a request that was refused, sending %s', async (_name, head, drop) => {
    expect([[401], [404]]).toContainEqual(statusesIn(await drip(head, drop)))
  })

  test.concurrent.each([
    ['nothing more', 'Content-Length: 60000\r\n\r\nbegun', ''],
    ['one byte after another', 'Content-Length: 60000\r\n\r\n', 'a'],
    ['one chunk after another', 'Transfer-Encoding: chunked\r\n\r\n', '1\r\na\r\n'],
  ])('within the body of a request that passes, sending %s', async (_name, framing, drop) => {
    scene.upstream.behave(() => undefined)
    expect(statusesIn(await drip(`${post}${scene.authorization}${framing}`, drop))).toEqual([408])
    await until(() => scene.upstream.requests.every(({ aborted }) => aborted))
    await until(() => scene.gateway.inFlight() === 0)
  })

  test('that rests on a connection where it has only been refused', async () => {
    scene.upstream.reset()
    const get = 'GET /x HTTP/1.1\r\nHost: a\r\n\r\n'
    const text = await drip(get, '')
    expect(statusesIn(text)).toEqual([401])
    // It is told how long that is, so that no honest client comes just too late.
    expect(text).toMatch(/^Keep-Alive: timeout=0\r$/m)
    const client = await rawClient(scene.gateway.port)
    client.send(get.replace('\r\n\r\n', `\r\n${scene.authorization}\r\n`))
    expect((await client.response()).fields).toContainEqual(['Keep-Alive', 'timeout=600'])
    await new Promise((resolve) => setTimeout(resolve, 3 * requests.headersTimeoutMs))
    client.send(get)
    expect((await client.response()).status).toBe(401)
    client.close()
  })

  test('that takes nothing of an answer, and the upstream’s answer is cut', async () => {
    scene.upstream.reset()
    scene.upstream.behave((_incoming, outgoing) => outgoing.write(Buffer.alloc(32_000_000)))
    const client = await rawClient(scene.gateway.port)
    client.socket.pause()
    client.send(`GET /x HTTP/1.1\r\nHost: a\r\n${scene.authorization}\r\n`)
    await until(() => scene.gateway.inFlight() === 1)
    await until(() => scene.gateway.inFlight() === 0)
    await until(() => scene.upstream.inFlight() === 0)
    client.close()
  })
})

test.concurrent(
  'a body that a service of the gateway reads has one span of time in all',
  async () => {
    const type = 'Content-Type: application/x-www-form-urlencoded'
    const head = `POST /oauth2/token HTTP/1.1\r\nHost: a\r\n${type}\r\nContent-Length: 6000\r\n\r\n`
    const text = await drip(head, 'a')
    expect(statusesIn(text)).toEqual([408])
  },
)

test.concurrent('a body may come at leisure where its group allows it', async () => {
  leisurely.upstream.behave((incoming, outgoing) => {
    incoming.resume().once('end', () => outgoing.end())
  })
  const client = await rawClient(leisurely.gateway.port)
  const framing = 'Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n'
  client.send(`POST /x HTTP/1.1\r\nHost: a\r\n${leisurely.authorization}${framing}`)
  for (let pieces = 0; pieces < 5; pieces++) {
    client.send('1\r\na\r\n')
    await new Promise((resolve) => setTimeout(resolve, requests.idleTimeoutMs / 4))
  }
  client.send('0\r\n\r\n')
  expect((await client.response()).status).toBe(200)
  client.close()
})

test.concurrent(
  'an upstream that takes its time is waited for, longer than any client',
  async () => {
    scene.upstream.behave((_incoming, outgoing) => setTimeout(() => outgoing.end('late'), 2_500))
    const get = `GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${scene.authorization}\r\n`
    expect(await scene.attack(get)).toMatch(/^HTTP\/1\.1 200 [^]*late$/)
  },
)

test('500 slow connections take nothing from an honest caller, and leave nothing behind', async () => {
  scene.upstream.reset()
  const slow = await Promise.all(
    Array.from({ length: 500 }, async (_, index) => {
      const client = await rawClient(scene.gateway.port)
      client.send(index % 2 === 0 ? 'GET /x HTTP/1.1\r\nHost' : 'POST /x HTTP/1.1\r\n')
      return client
    }),
  )
  const get = `GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${scene.authorization}\r\n`
  for (let turn = 0; turn < 20; turn++) {
    expect(statusesIn(await scene.attack(get))).toEqual([200])
  }
  for (const client of slow) expect(statusesIn(await client.ended())).toEqual([408])
})
