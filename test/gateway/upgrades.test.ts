import { connect } from 'node:tls'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { rawClient, type RawClient } from '../support/raw-client.ts'
import { startTlsGateway } from '../support/tls-gateway.ts'
import { until } from '../support/until.ts'
import { webSocketUpstream, type WebSocketUpstream } from '../support/websocket-upstream.ts'

let upstream: WebSocketUpstream
let gateway: TestGateway

beforeAll(async () => {
  upstream = await webSocketUpstream()
  gateway = await start()
})
beforeEach(() => {
  upstream.behave(undefined)
  upstream.handshakes.length = 0
})
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
})

function start(shutdown: object = {}): Promise<TestGateway> {
  const group = { paths: { '/live': { get: {} } }, upstreamUrl: upstream.url }
  const open = { ...group, upgrades: ['websocket'] }
  return startGateway({
    groups: [
      { ...open, name: 'open', mount: '/open' },
      { ...open, name: 'two', mount: '/two', limitClass: 'two', upstream: { connections: 1 } },
      { ...open, name: 'rated', mount: '/rated', limitClass: 'rated' },
      { ...open, name: 'idle', mount: '/idle', upgradeIdleTimeoutMs: 1_000 },
      {
        ...open,
        name: 'guarded',
        mount: '/guarded',
        upstream: { totalTimeoutMs: 100, pipelining: 4 },
      },
    ],
    configuration: {
      shutdown,
      requests: { idleTimeoutMs: 200 },
      limits: {
        classes: {
          standard: {},
          two: { user: { concurrent: 2 } },
          rated: { user: { requests: 5, windowSeconds: 3_600 } },
        },
      },
    },
  })
}

/** A conversation with Node's own client, once it is open. */
async function converse(path: string, from = gateway): Promise<WebSocket> {
  const headers = { authorization: from.key.authorization }
  // Node's client takes fields, which no type of browsers knows.
  const options = { headers, protocols: [] } as unknown as string[]
  const socket = new WebSocket(`ws://127.0.0.1:${from.port}${path}`, options)
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve)
    socket.addEventListener('error', () => {
      reject(new Error('refused'))
    })
  })
  return socket
}

function say(socket: WebSocket, text: string): Promise<unknown> {
  const answered = new AbortController()
  const heard = new Promise((resolve, reject) => {
    const { signal } = answered
    const hear = ({ data }: { readonly data: unknown }): void => {
      resolve(data)
    }
    const lose = (): void => {
      reject(new Error('The connection was closed'))
    }
    socket.addEventListener('message', hear, { signal })
    socket.addEventListener('close', lose, { signal })
    socket.send(text)
  })
  return heard.finally(() => {
    answered.abort()
  })
}

function closing(socket: WebSocket): Promise<{ code: number; wasClean: boolean }> {
  return new Promise((resolve) => {
    socket.addEventListener('close', ({ code, wasClean }) => {
      resolve({ code, wasClean })
    })
  })
}

function handshake(path: string, authorization = gateway.key.authorization): string {
  return `GET ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: ${authorization}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`
}

async function rawConversation(path: string): Promise<RawClient> {
  const client = await rawClient(gateway.port)
  client.send(handshake(path))
  expect((await client.response()).status).toBe(101)
  return client
}

test('texts pass both ways, and the closing handshake reaches both sides', async () => {
  const socket = await converse('/open/live?room=1')
  expect(await say(socket, 'hello')).toBe('hello')
  const long = 'x'.repeat(60_000)
  for (let turn = 0; turn < 20; turn++) expect(await say(socket, long)).toBe(long)
  const closed = closing(socket)
  socket.close(1000)
  expect(await closed).toEqual({ code: 1000, wasClean: true })
  await until(() => upstream.sockets.size === 0 && gateway.inFlight() === 0)
})

test('the upstream hears who calls, and the client nothing of the upstream', async () => {
  const client = await rawClient(gateway.port)
  client.send(
    handshake('/open/live').replace('Host', 'Gatehouse-Principal-Id: me\r\nX-Mine: 1\r\nHost'),
  )
  const answer = await client.response()
  expect(answer.field('Connection')).toBe('Upgrade')
  expect(answer.field('Upgrade')).toBe('websocket')
  expect(answer.field('Sec-WebSocket-Accept')).toBe('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
  expect(answer.field('Server')).toBeUndefined()
  const headers = upstream.handshakes[0]?.headers
  expect(headers).toMatchObject({
    connection: 'upgrade',
    upgrade: 'websocket',
    'x-mine': '1',
    'sec-websocket-version': '13',
    'gatehouse-principal-id': gateway.userId,
    'gatehouse-request-id': answer.field('X-Request-Id'),
  })
  expect(headers).not.toHaveProperty('authorization')
  client.close()
  await until(() => upstream.sockets.size === 0)
})

test('one log line is written at the end, with status 101 and how long it was open', async () => {
  const client = await rawClient(gateway.port)
  client.send(handshake('/open/live'))
  const requestId = (await client.response()).field('X-Request-Id')
  const lines = () => gateway.log.filter((record) => record['requestId'] === requestId)
  expect(gateway.inFlight()).toBe(1)
  expect(lines()).toEqual([])
  client.close()
  await until(() => lines().length > 0)
  expect(lines()).toMatchObject([
    { status: 101, verdict: 'forwarded', group: 'open', durationMs: expect.any(Number) as unknown },
  ])
  expect(gateway.inFlight()).toBe(0)
})

test('a slot is held until the connection closes, whichever side ends or breaks it', async () => {
  const endings: readonly ((client: RawClient) => void)[] = [
    ({ socket }) => socket.end(),
    ({ socket }) => socket.resetAndDestroy(),
    () => {
      for (const socket of upstream.sockets) socket.end()
    },
    () => {
      for (const socket of upstream.sockets) socket.resetAndDestroy()
    },
  ]
  for (const end of endings) {
    const clients = [await rawConversation('/two/live'), await rawConversation('/two/live')]
    const refused = await rawClient(gateway.port)
    refused.send(handshake('/two/live'))
    const answer = await refused.response()
    expect(answer.status).toBe(429)
    expect(answer.field('Connection')).toBe('close')
    expect(answer.json()).toMatchObject({ error: { code: 'CONCURRENCY_LIMIT_EXCEEDED' } })
    await refused.ended()
    for (const client of clients) end(client)
    for (const client of clients) await client.ended()
    await until(() => upstream.sockets.size === 0 && gateway.inFlight() === 0)
  }
})

test('a rate counts a connection once, however much passes on it', async () => {
  const socket = await converse('/rated/live')
  for (let turn = 0; turn < 10; turn++) await say(socket, 'hello')
  const client = await rawClient(gateway.port)
  client.send(handshake('/rated/live'))
  expect((await client.response()).field('X-RateLimit-Remaining')).toBe('3')
  client.close()
  socket.close()
})

test('what carries nothing is closed on both sides, and what carries something is not', async () => {
  const talking = await converse('/idle/live')
  const silent = await rawConversation('/idle/live')
  while (!silent.socket.closed) expect(await say(talking, 'still here')).toBe('still here')
  expect(talking.readyState).toBe(WebSocket.OPEN)
  const closed = closing(talking)
  expect(await closed).toMatchObject({ wasClean: false })
  await until(() => upstream.sockets.size === 0)
})

test('deadlines and pipelines of requests have nothing to do with what was upgraded', async () => {
  const socket = await converse('/guarded/live')
  // Longer than requests may take there, and than they may be idle.
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(await say(socket, 'hello')).toBe('hello')
  socket.close()
  await until(() => upstream.sockets.size === 0)
})

test('a reader that takes its time holds the other side back', async () => {
  const chunk = Buffer.alloc(65_536)
  const total = 64 * 1_048_576
  let written = 0
  upstream.behave((_incoming, socket) => {
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    )
    const fill = (): void => {
      while (written < total) {
        written += chunk.length
        if (!socket.write(chunk)) break
      }
    }
    socket.on('drain', fill)
    fill()
  })
  const client = await rawClient(gateway.port)
  client.send(handshake('/open/live'))
  await client.response()
  client.socket.pause()
  let before = -1
  while (before !== written) {
    before = written
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  expect(written).toBeLessThan(total)
  client.close()
  await until(() => upstream.sockets.size === 0)
})

test('a reader of an answer that is no upgrade may not pause for long', async () => {
  upstream.behave((_incoming, socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 67108864\r\n\r\n')
    socket.write(Buffer.alloc(67_108_864))
  })
  const client = await rawClient(gateway.port)
  client.socket.pause()
  client.send(handshake('/open/live'))
  await until(() => upstream.handshakes.length === 1)
  await until(() => upstream.sockets.size === 0 && gateway.inFlight() === 0)
  client.close()
})

test('over TLS an upgrade passes as it does without', async () => {
  const group = { upstreamUrl: upstream.url, upgrades: ['websocket'] }
  const secured = await startTlsGateway({ '/live': { get: {} } }, {}, group)
  const { port, key } = secured.gateway
  const socket = connect({ port, ca: secured.ca, servername: 'localhost' })
  let text = ''
  socket.on('data', (bytes: Buffer) => (text += bytes.toString('latin1')))
  socket.write(handshake('/live', key.authorization))
  await until(() => text.includes('\r\n\r\n'))
  expect(text).toMatch(/^HTTP\/1\.1 101 /)
  expect(text).toMatch(/^strict-transport-security: /im)
  socket.write(Buffer.from('\x81\x85\x00\x00\x00\x00hello', 'latin1'))
  await until(() => text.endsWith('\x81\x05hello'))
  socket.destroy()
  await until(() => upstream.sockets.size === 0)
  await secured.close()
})

test('a drain closes what is still open when its time is up, and takes no longer', async () => {
  const drained = await start({ timeoutMs: 300 })
  const socket = await converse('/open/live', drained)
  const closed = closing(socket)
  const stopped = drained.stop()
  expect(await say(socket, 'still here')).toBe('still here')
  expect(await closed).toMatchObject({ wasClean: false })
  await stopped
  expect(upstream.sockets.size).toBe(0)
})
