import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { rawClient, rawExchange } from '../support/raw-client.ts'
import { until } from '../support/until.ts'
import {
  agreement,
  webSocketUpstream,
  type WebSocketUpstream,
} from '../support/websocket-upstream.ts'
import { expectRefusal } from './refusal.ts'

let upstream: WebSocketUpstream
let gateway: TestGateway

beforeAll(async () => {
  upstream = await webSocketUpstream()
  const group = { paths: { '/live': { get: {}, post: {} } }, upstreamUrl: upstream.url }
  gateway = await startGateway({
    groups: [
      {
        ...group,
        name: 'open',
        upgrades: ['websocket'],
        upstream: { connections: 1, headersTimeoutMs: 500 },
      },
      { ...group, name: 'shut', mount: '/shut' },
      // Slow enough that what ends there was not ended by the upstream's own deadline.
      { ...group, name: 'slow', mount: '/slow', upgrades: ['websocket'] },
    ],
    limits: { user: { concurrent: 1 } },
  })
})
beforeEach(() => {
  upstream.behave(undefined)
  upstream.handshakes.length = 0
})
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
})

type Parts = { line?: string; fields?: readonly string[]; upgrade?: string; known?: boolean }

function handshake({
  line = 'GET /live HTTP/1.1',
  fields = [],
  upgrade = 'websocket',
  known = true,
}: Parts = {}): string {
  const all = [line, 'Host: a', 'Connection: Upgrade', `Upgrade: ${upgrade}`, ...fields]
  if (known) all.push(`Authorization: ${gateway.key.authorization}`)
  return `${all.join('\r\n')}\r\n\r\n`
}

const frame = '\x81\x85\x00\x00\x00\x00hello'
const smuggled = 'GET /live HTTP/1.1\r\nHost: a\r\n\r\n'

/** Everything that comes until the gateway closes. */
async function attack(...pieces: readonly string[]): Promise<string> {
  const client = await rawClient(gateway.port)
  for (const piece of pieces) {
    client.send(Buffer.from(piece, 'latin1'))
    await new Promise(setImmediate)
  }
  const text = await client.ended()
  // A slot is there again when the gateway's side is closed too.
  await until(() => gateway.inFlight() === 0)
  return text
}

test('without a credential, or with a wrong one, nothing reaches the upstream', async () => {
  const wrong = handshake({ known: false, fields: ['Authorization: Basic YTpi'] })
  for (const bytes of [handshake({ known: false }), wrong]) {
    expect(expectRefusal(await attack(bytes + frame + smuggled), bytes)).toBe(401)
    expect(expectRefusal(await attack(bytes, smuggled), bytes)).toBe(401)
  }
  expect(upstream.handshakes).toEqual([])
})

test('another protocol, group, method or version, a body, or several protocols are not implemented', async () => {
  const attacks = [
    handshake({ upgrade: 'h2c' }),
    handshake({ upgrade: 'websocket, h2c' }),
    handshake({ fields: ['Upgrade: h2c'] }),
    handshake({ upgrade: 'websocket/13' }),
    handshake({ line: 'GET /shut/live HTTP/1.1' }),
    handshake({ line: 'POST /live HTTP/1.1' }),
    handshake({ line: 'GET /live HTTP/1.0' }),
    `${handshake({ fields: ['Content-Length: 5'] })}hello`,
    `${handshake({ fields: ['Transfer-Encoding: chunked'] })}0\r\n\r\n`,
    handshake({ fields: ['Expect: 100-continue'] }),
  ]
  for (const bytes of attacks) {
    expect(expectRefusal(await attack(bytes + smuggled), bytes), bytes).toBe(501)
  }
  expect(upstream.handshakes).toEqual([])
})

test('ingress and match decide of an upgrade as of any request', async () => {
  const statuses = [
    ['GET /a/../live HTTP/1.1', 400],
    ['GET /nowhere HTTP/1.1', 404],
  ] as const
  for (const [line, status] of statuses) {
    expect(expectRefusal(await attack(handshake({ line }) + frame), line)).toBe(status)
  }
  expect(upstream.handshakes).toEqual([])
})

test('what a client sends early passes once the upstream has agreed, and not before', async () => {
  let agree: () => void = () => undefined
  upstream.behave((incoming, socket) => {
    agree = () => {
      socket.on('data', (bytes: Buffer) => socket.write(bytes))
      socket.write(agreement(incoming))
    }
  })
  const before = upstream.received()
  const client = await rawClient(gateway.port)
  client.send(`${handshake()}early `)
  await until(() => upstream.handshakes.length === 1)
  client.send('and later')
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(upstream.received()).toBe(before)
  agree()
  expect((await client.response()).status).toBe(101)
  await until(() => upstream.received() === before + 'early and later'.length)
  client.socket.end()
  expect(await client.ended()).toBe('early and later')
})

test('an upstream that answers otherwise is passed on as any answer, and what came early is dropped', async () => {
  const before = upstream.received()
  upstream.behave((_incoming, socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nUpgrade: websocket\r\n\r\nhi')
  })
  const text = await attack(handshake() + smuggled)
  expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n.*\r\n\r\nhi$/s)
  expect(text).toMatch(/^connection: close$/im)
  upstream.behave((_incoming, socket) => {
    socket.write('HTTP/1.1 426 Upgrade Required\r\nContent-Length: 4\r\n\r\nhost')
  })
  expect(expectRefusal(await attack(handshake() + smuggled), '426')).toBe(426)
  expect(upstream.received()).toBe(before)
  expect(upstream.handshakes).toHaveLength(2)
})

test('a 101 that is about something else, or nothing, is an invalid answer', async () => {
  const before = upstream.received()
  const answers = [
    'Connection: Upgrade\r\nUpgrade: h2c\r\n',
    'Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n',
    'Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n',
    'Connection: Upgrade\r\n',
    'Upgrade: websocket\r\n',
    '',
  ]
  for (const fields of answers) {
    upstream.behave((_incoming, socket) => {
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${fields}\r\nsecret`)
    })
    const text = await attack(handshake() + frame)
    expect(expectRefusal(text, fields), fields).toBe(502)
    expect(text).not.toContain('secret')
    await until(() => upstream.sockets.size === 0)
  }
  expect(upstream.received()).toBe(before)
})

test('an upstream that hangs, closes or resets is answered for, and the connection to it is given up', async () => {
  upstream.behave(() => undefined)
  expect(expectRefusal(await attack(handshake() + frame), 'hangs')).toBe(504)
  await until(() => upstream.sockets.size === 0)
  upstream.behave((_incoming, socket) => socket.end())
  expect(expectRefusal(await attack(handshake()), 'closes')).toBe(502)
  upstream.behave((_incoming, socket) => socket.resetAndDestroy())
  expect(expectRefusal(await attack(handshake()), 'resets')).toBe(502)
})

test('a client that leaves while the upstream decides gives its slot back, and the upstream hears of it', async () => {
  upstream.behave(() => undefined)
  for (const leave of ['end', 'resetAndDestroy'] as const) {
    const client = await rawClient(gateway.port)
    client.send(handshake({ line: 'GET /slow/live HTTP/1.1' }))
    await until(() => upstream.sockets.size === 1)
    client.socket[leave]()
    await until(() => upstream.sockets.size === 0 && gateway.inFlight() === 0)
  }
})

test('an upstream that stays when its client has gone holds no slot', async () => {
  upstream.behave((incoming, socket) => {
    socket.removeAllListeners('end')
    socket.write(agreement(incoming))
  })
  const client = await rawClient(gateway.port)
  client.send(handshake())
  expect((await client.response()).status).toBe(101)
  client.socket.end()
  await until(() => gateway.inFlight() === 0)
  for (const socket of upstream.sockets) socket.destroy()
})

test('clients and upstreams that reset upgraded connections do not end the process', async () => {
  for (let turn = 0; turn < 30; turn++) {
    const client = await rawClient(gateway.port)
    client.send(handshake())
    if (turn % 3 > 0) await new Promise((resolve) => setTimeout(resolve, turn / 5))
    for (const socket of upstream.sockets) if (turn % 2 === 0) socket.resetAndDestroy()
    client.socket.resetAndDestroy()
    await until(() => gateway.inFlight() === 0)
  }
  const get = `GET /live HTTP/1.1\r\nHost: a\r\nAuthorization: ${gateway.key.authorization}\r\n\r\n`
  expect((await rawExchange(gateway.port, get)).status).toBe(426)
})
