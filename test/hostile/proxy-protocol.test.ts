import fc from 'fast-check'
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readProxyHeader } from '../../src/gateway/proxy-header.ts'
import { http2Client } from '../support/http2-client.ts'
import { rawClient } from '../support/raw-client.ts'
import { startTlsGateway, type TlsGateway } from '../support/tls-gateway.ts'
import { until } from '../support/until.ts'
import { openScene, statusesIn, type Scene } from './scene.ts'

const trusting = { transport: { trustedProxies: ['127.0.0.1'] } }
const open = { public: { port: 0, proxyProtocol: true }, admin: { port: 0 } }

let scene: Scene
beforeAll(async () => {
  scene = await openScene({
    listen: open,
    requests: { headersTimeoutMs: 1_000 },
    ...trusting,
  })
})
afterAll(() => scene.close())

const get = (): string =>
  `GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${scene.authorization}\r\n`

const signature = '\r\n\r\n\0\r\nQUIT\n'

function binary(command: number, family: number, payload: readonly number[]): Buffer {
  const head = Buffer.from([command, family, payload.length >> 8, payload.length & 255])
  return Buffer.concat([Buffer.from(signature, 'latin1'), head, Buffer.from(payload)])
}

const text = 'PROXY TCP4 203.0.113.7 10.0.0.1 5000 443\r\n'
const ipv4 = binary(0x21, 0x11, [203, 0, 113, 9, 10, 0, 0, 1, 1, 2, 3, 4])
const ipv6 = binary(0x21, 0x21, [32, 1, 13, 184, ...Array<number>(31).fill(0), 1, 3, 0, 1, 9])

function addresses(): unknown[] {
  return scene.gateway.log.map(({ clientAddress }) => clientAddress)
}

test('the address in a header of either version is the client, told upstream and logged', async () => {
  for (const [header, address] of [
    [text, '203.0.113.7'],
    ['PROXY TCP6 2001:db8::5 2001:db8::1 5000 443\r\n', '2001:db8::5'],
    [ipv4.toString('latin1'), '203.0.113.9'],
    [ipv6.toString('latin1'), '2001:db8::'],
    ['PROXY UNKNOWN\r\n', '127.0.0.1'],
    [binary(0x20, 0, []).toString('latin1'), '127.0.0.1'],
  ] as const) {
    scene.upstream.reset()
    expect(statusesIn(await scene.attack(header + get())), header).toEqual([200])
    expect(scene.upstream.requests[0]?.headers['x-forwarded-for']).toBe(address)
    expect(addresses().at(-1)).toBe(address)
  }
})

test('a header that comes byte by byte is read, and several requests may follow', async () => {
  const client = await rawClient(scene.gateway.port)
  for (const byte of text) {
    client.send(byte)
    await new Promise(setImmediate)
  }
  for (let turn = 0; turn < 3; turn += 1) {
    client.send(get().replace('Connection: close\r\n', ''))
    expect((await client.response()).status).toBe(200)
  }
  client.close()
})

test('without a sound header a connection is cut without an answer, and nothing passes', async () => {
  scene.upstream.reset()
  const attacks = [
    get(),
    text.replace('TCP4', 'TCP6') + get(),
    text.replace('203.0.113.7', '203.0.113.007') + get(),
    text.replace('203.0.113.7', '203.0.113.7, 1.2.3.4') + get(),
    text.replace('5000', '65536') + get(),
    text.replace('5000', '+1') + get(),
    text.replace(' 443', '') + get(),
    text.replace(' TCP4', '  TCP4') + get(),
    text.toLowerCase() + get(),
    text.replace('\r\n', '\n') + get(),
    `PROXY TCP4 ${'1'.repeat(200)}\r\n${get()}`,
    'PROXY TCP6 fe80::1%eth0 ::1 1 1\r\n' + get(),
    binary(0x11, 0x11, Array(12).fill(1)).toString('latin1') + get(),
    binary(0x22, 0x11, Array(12).fill(1)).toString('latin1') + get(),
    binary(0x21, 0x11, Array(11).fill(1)).toString('latin1') + get(),
    binary(0x21, 0x12, Array(12).fill(1)).toString('latin1') + get(),
    binary(0x21, 0x31, Array(216).fill(1)).toString('latin1') + get(),
    binary(0x21, 0x11, Array(4_000).fill(1)).toString('latin1') + get(),
    signature,
    'PROXY ',
    '',
  ]
  for (const attack of attacks) expect(await scene.attack(attack), attack).toBe('')
  expect(scene.upstream.requests).toEqual([])
})

test('a second header is no header: it is bytes that are no HTTP', async () => {
  expect(statusesIn(await scene.attack(text + text + get()))).toEqual([400])
})

test('a peer that is not trusted is cut, whatever it says', async () => {
  const other = await openScene({ listen: open, transport: { trustedProxies: ['192.0.2.1'] } })
  try {
    expect(await other.attack(text + get())).toBe('')
  } finally {
    await other.close()
  }
})

test('the header comes before TLS, in the clear, and stands for requests of HTTP/2 too', async () => {
  const secured: TlsGateway = await startTlsGateway(
    { '/x': { get: {} } },
    { open: { proxyProtocol: true }, ...trusting },
  )
  try {
    for (const ALPNProtocols of [['http/1.1'], []]) {
      const plain = connect(secured.gateway.port, '127.0.0.1')
      plain.write(text)
      const socket = connectTls({ socket: plain, ca: secured.ca, host: 'localhost', ALPNProtocols })
      const { authorization } = secured.gateway.key
      socket.write(
        `GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: ${authorization}\r\n\r\n`,
      )
      expect(statusesIn((await socket.toArray()).join(''))).toEqual([200])
    }
    const before = connect(secured.gateway.port, '127.0.0.1')
    before.write(text)
    const socket = connectTls({
      socket: before,
      ca: secured.ca,
      host: 'localhost',
      ALPNProtocols: ['h2'],
    })
    const client = await http2Client(secured.gateway.port, secured.ca, {
      createConnection: () => socket,
    })
    const { authorization } = secured.gateway.key
    for (let turn = 0; turn < 2; turn++) {
      expect((await client.call({ ':path': '/x', authorization })).status).toBe(200)
    }
    client.close()
    const forwarded = secured.upstream.requests.map(({ headers }) => headers['x-forwarded-for'])
    expect(forwarded).toEqual(Array(4).fill('203.0.113.7'))
    const logged = secured.gateway.log.map(({ clientAddress }) => clientAddress)
    expect(new Set(logged)).toEqual(new Set(['203.0.113.7']))
    await until(() => secured.gateway.inFlight() === 0)
  } finally {
    await secured.close()
  }
})

test('whatever bytes come, reading them neither throws nor reads beyond them, and a cut header is incomplete', () => {
  const begun = fc.constantFrom(
    Buffer.from('PROXY TCP4 '),
    Buffer.from(signature, 'latin1'),
    ipv4,
    ipv6,
  )
  const tail = fc.uint8Array({ maxLength: 300 })
  fc.assert(
    fc.property(begun, tail, (start, rest) => {
      const bytes = Buffer.concat([start, rest])
      const header = readProxyHeader(bytes)
      if (header.kind === 'invalid' || header.kind === 'incomplete') return
      expect(header.length).toBeLessThanOrEqual(bytes.length)
      for (let length = 0; length < header.length; length += 1) {
        expect(readProxyHeader(bytes.subarray(0, length)).kind).toBe('incomplete')
      }
    }),
  )
  fc.assert(
    fc.property(fc.ipV4(), fc.ipV6(), fc.boolean(), (four, six, isSix) => {
      const address = isSix ? six : four
      const line = `PROXY TCP${isSix ? '6' : '4'} ${address} ${address} 1 65535\r\n`
      expect(readProxyHeader(Buffer.from(line))).toEqual({
        kind: 'proxied',
        length: line.length,
        address,
      })
    }),
  )
})
