import { connect, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { http2Client } from '../support/http2-client.ts'
import { startTlsGateway, type TlsGateway } from '../support/tls-gateway.ts'
import { until } from '../support/until.ts'

let scene: TlsGateway
beforeAll(async () => {
  scene = await startTlsGateway(
    { '/x': { get: {}, post: {} } },
    { requests: { headersTimeoutMs: 1_000, idleTimeoutMs: 1_000, keepAliveTimeoutMs: 2_000 } },
  )
})
beforeEach(() => {
  scene.upstream.reset()
})
afterAll(() => scene.close())

const type = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goaway: 7, continuation: 9 }
const endStream = 1
const endHeaders = 4

/** A frame as it stands on the wire (RFC 9113 §4.1). */
function frame(
  kind: number,
  flags: number,
  stream: number,
  payload: Buffer = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head.writeUInt8(kind, 3)
  head.writeUInt8(flags, 4)
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** Fields as literals that are never indexed, without compression (RFC 7541 §6.2.3). */
function block(fields: readonly (readonly [string, string])[]): Buffer {
  return Buffer.concat(
    fields.flatMap(([name, value]) => [Buffer.of(0x10), text(name), text(value)]),
  )
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1')
  if (bytes.length < 127) return Buffer.concat([Buffer.of(bytes.length), bytes])
  const rest = bytes.length - 127
  const lengths = [127]
  let left = rest
  for (; left >= 128; left = Math.floor(left / 128)) lengths.push((left % 128) + 128)
  return Buffer.concat([Buffer.from([...lengths, left]), bytes])
}

type Field = readonly [string, string]

const sound = (method = 'GET'): readonly Field[] => [
  [':method', method],
  [':scheme', 'https'],
  [':authority', 'api.test'],
  [':path', '/x'],
  ['authorization', scene.gateway.key.authorization],
]

/** The preface and our settings: nothing said. */
const hello = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  frame(type.settings, 0, 0),
])

type Wire = {
  readonly socket: TLSSocket
  /** Kind, stream and payload of each frame that came. */
  readonly frames: { kind: number; stream: number; payload: Buffer }[]
  readonly isClosed: () => boolean
}

async function open(first: Buffer = hello): Promise<Wire> {
  const { port } = scene.gateway
  const socket = connect({ port, ca: scene.ca, host: 'localhost', ALPNProtocols: ['h2'] })
  let received: Buffer = Buffer.alloc(0)
  let isClosed = false
  const frames: Wire['frames'] = []
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
    while (received.length >= 9) {
      const length = received.readUIntBE(0, 3)
      if (received.length < 9 + length) break
      const stream = received.readUInt32BE(5)
      const payload = received.subarray(9, 9 + length)
      frames.push({ kind: received.readUInt8(3), stream, payload })
      received = received.subarray(9 + length)
    }
  })
  socket.on('error', () => undefined)
  socket.on('close', () => (isClosed = true))
  await new Promise<void>((resolve) => socket.once('secureConnect', resolve))
  socket.write(first)
  return { socket, frames, isClosed: () => isClosed }
}

function headers(fields: readonly Field[], stream = 1, flags = endHeaders | endStream): Buffer {
  return frame(type.headers, flags, stream, block(fields))
}

/** Honest traffic on another connection goes on. */
async function expectServing(): Promise<void> {
  const client = await http2Client(scene.gateway.port, scene.ca)
  const { authorization } = scene.gateway.key
  const answer = await client.call({ ':path': '/x', authorization })
  client.close()
  expect(answer.status).toBe(200)
}

const has = ({ frames }: Wire, kind: number): boolean => frames.some((each) => each.kind === kind)

test('a head with fields of HTTP/1.1, odd pseudo-header fields or two of what stands once never passes', async () => {
  const without = (name: string): Field[] => sound().filter(([each]) => each !== name)
  const attacks: readonly (readonly Field[])[] = [
    ...['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade'].map(
      (name) => [...sound(), [name, name === 'transfer-encoding' ? 'chunked' : 'x']] as Field[],
    ),
    [...sound(), ['te', 'gzip']],
    [...sound(), ['X-Upper', 'a']],
    [...sound(), [':path', '/x']],
    [...sound(), [':authority', 'other.test']],
    [...sound(), [':protocol', 'websocket']],
    [...sound(), [':unknown', 'a']],
    [...sound(), ['host', 'other.test']],
    [...sound(), ['authorization', 'Basic eDp5']],
    [...sound(), ['content-length', '5'], ['content-length', '6']],
    [...sound(), ['content-length', '5']],
    [...sound(), ['content-length', '-1']],
    [...without(':path'), [':path', '']],
    [...without(':path'), [':path', 'x']],
    [...without(':path'), [':path', 'https://api.test/x']],
    [...without(':path'), [':path', '/x HTTP/1.1']],
    [...without(':path'), [':path', '/%2e%2e/x']],
    [...without(':authority'), [':authority', 'user@api.test']],
    [...without(':authority'), [':authority', '']],
    [...without(':scheme'), [':scheme', 'file']],
    [...without(':method'), [':method', 'GET /x HTTP/1.1']],
    ...[':method', ':scheme', ':authority', ':path'].map(without),
    sound('CONNECT'),
    [['x', 'before'], ...sound()],
  ]
  for (const attack of attacks) {
    const wire = await open()
    wire.socket.write(headers(attack))
    await until(() => has(wire, type.headers) || has(wire, type.reset) || has(wire, type.goaway))
    const answer = wire.frames.find(({ kind }) => kind === type.data)?.payload.toString()
    const status: unknown = expect.stringMatching(/^[45]\d\d$/)
    const told = JSON.stringify(attack)
    if (answer !== undefined) expect(JSON.parse(answer), told).toMatchObject({ status })
    wire.socket.destroy()
  }
  expect(scene.upstream.requests).toEqual([])
  await expectServing()
}, 60_000)

test('a field that cannot be one is left out, and nothing of it reaches the upstream', async () => {
  const odd: readonly Field[] = [
    ['x y', 'a'],
    ['x-a', 'a\r\nx-user-id: root'],
    ['x-b', 'a\0b'],
    ['x-c', 'a\nb'],
  ]
  const wire = await open()
  wire.socket.write(headers([...sound(), ...odd]))
  await until(() => has(wire, type.headers) || has(wire, type.reset))
  for (const { headers: received } of scene.upstream.requests) {
    expect(Object.keys(received).filter((name) => /^x(?: |-a|-b|-c|-user-id)/.test(name))).toEqual(
      [],
    )
  }
  wire.socket.destroy()
})

test('half a body that ends in a reset, whatever its code, never reaches the upstream as a whole one', async () => {
  for (const code of [0, 2, 8]) {
    scene.upstream.reset()
    scene.upstream.behave((incoming) => incoming.resume())
    const wire = await open()
    const reset = Buffer.alloc(4)
    reset.writeUInt32BE(code)
    wire.socket.write(headers(sound('POST'), 1, endHeaders))
    wire.socket.write(frame(type.data, 0, 1, Buffer.from('half')))
    await until(() => scene.upstream.inFlight() === 1)
    wire.socket.write(frame(type.reset, 0, 1, reset))
    await until(() => scene.upstream.requests[0]?.aborted === true)
    expect(scene.upstream.requests[0]?.body).toBeUndefined()
    wire.socket.destroy()
  }
  await until(() => scene.gateway.inFlight() === 0)
})

test('a body that is longer or shorter than its content-length never passes as whole', async () => {
  for (const [length, body] of [
    ['3', 'hello'],
    ['9', 'hello'],
  ] as const) {
    const wire = await open()
    wire.socket.write(headers([...sound('POST'), ['content-length', length]], 1, endHeaders))
    wire.socket.write(frame(type.data, endStream, 1, Buffer.from(body)))
    await until(() => has(wire, type.reset) || has(wire, type.goaway))
    await until(() => scene.gateway.inFlight() === 0)
    wire.socket.destroy()
  }
  expect(scene.upstream.requests.every(({ body }) => body === undefined)).toBe(true)
})

test('who opens streams and resets them at once is cut, and not served a thousand times', async () => {
  const wire = await open()
  const cancel = Buffer.of(0, 0, 0, 8)
  for (let stream = 1; stream < 4_000 && !wire.isClosed(); stream += 2) {
    wire.socket.write(headers(sound(), stream))
    wire.socket.write(frame(type.reset, 0, stream, cancel))
    if (stream % 50 === 1) await new Promise(setImmediate)
  }
  await until(wire.isClosed)
  expect(has(wire, type.goaway)).toBe(true)
  expect(scene.upstream.requests.length).toBeLessThan(500)
  await until(() => scene.gateway.inFlight() === 0)
  await expectServing()
})

test('a head without end is cut, whether it comes fast or not at all', async () => {
  const flood = await open()
  flood.socket.write(frame(type.headers, endStream, 1, block(sound())))
  const more = block([['x-more', 'a'.repeat(8_000)]])
  for (let count = 0; count < 1_000 && !flood.isClosed(); count += 1) {
    flood.socket.write(frame(type.continuation, 0, 1, more))
    if (count % 20 === 0) await new Promise(setImmediate)
  }
  await until(flood.isClosed)
  const slow = await open()
  slow.socket.write(frame(type.headers, endStream, 1, block(sound())))
  const silent = await open(Buffer.from('PRI * HT'))
  const idle = await open()
  await until(() => slow.isClosed() && silent.isClosed() && idle.isClosed())
  expect(scene.upstream.requests).toEqual([])
  await expectServing()
})

test('floods of PING and of SETTINGS are cut, though their acknowledgements are read', async () => {
  for (const each of [frame(type.ping, 0, 0, Buffer.alloc(8)), frame(type.settings, 0, 0)]) {
    const wire = await open()
    for (let count = 0; count < 200 && !wire.isClosed(); count += 1) {
      wire.socket.write(Buffer.concat(Array.from({ length: 100 }, () => each)))
      await new Promise(setImmediate)
    }
    await until(wire.isClosed)
  }
  await expectServing()
})

test('more streams at once than were promised are refused, the others are served', async () => {
  scene.upstream.behave(() => undefined)
  const wire = await open()
  for (let stream = 1; stream < 240; stream += 2) wire.socket.write(headers(sound(), stream))
  await until(() => scene.upstream.inFlight() > 60)
  await until(() => wire.frames.filter(({ kind }) => kind === type.reset).length >= 20)
  expect(scene.gateway.inFlight()).toBeLessThanOrEqual(100)
  wire.socket.destroy()
  await until(() => scene.gateway.inFlight() === 0)
})

test('a reader who takes nothing of what is there is given up', async () => {
  scene.upstream.behave((_incoming, outgoing) => {
    outgoing.end(Buffer.alloc(1_000_000))
  })
  const wire = await open()
  wire.socket.write(headers(sound()))
  await until(() => has(wire, type.reset))
  await until(() => scene.gateway.inFlight() === 0)
  wire.socket.destroy()
})

test('bytes that are no HTTP/2 end their connection and no other', async () => {
  for (const bytes of [
    'GET /x HTTP/1.1\r\nHost: a\r\n\r\n',
    '\0'.repeat(100),
    'x'.repeat(20_000),
  ]) {
    const wire = await open(Buffer.from(bytes))
    await until(wire.isClosed)
  }
  const wire = await open()
  // A frame of DATA on a stream that was never opened, and one that is longer than was allowed.
  wire.socket.write(frame(type.data, 0, 7, Buffer.from('x')))
  await until(wire.isClosed)
  const large = await open()
  large.socket.write(frame(type.data, 0, 0, Buffer.alloc(70_000)))
  await until(large.isClosed)
  expect(scene.upstream.requests).toEqual([])
  await expectServing()
})
