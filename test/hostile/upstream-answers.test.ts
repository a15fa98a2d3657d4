import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { rawClient, rawExchange } from '../support/raw-client.ts'

type Answering = (socket: Socket) => void

let answering: Answering = () => undefined
let server: Server
let gateway: TestGateway
beforeAll(async () => {
  server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.on('data', () => {
      answering(socket)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  gateway = await startGateway({
    groups: [{ name: 'a', paths: { '/x': { get: {} } }, upstreamUrl: `http://127.0.0.1:${port}` }],
  })
})
afterAll(async () => {
  await gateway.stop()
  server.close()
})

const get = (): string =>
  `GET /x HTTP/1.1\r\nHost: a\r\nAuthorization: ${gateway.key.authorization}\r\n\r\n`

function writing(bytes: string): Answering {
  return (socket) => socket.write(Buffer.from(bytes, 'latin1'))
}

/** Hold that the next caller gets the answer to its own request, whatever was said before. */
async function expectNextIsRight(): Promise<void> {
  answering = writing('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nMINE')
  expect(await rawExchange(gateway.port, get())).toMatchObject({ status: 200, body: 'MINE' })
}

async function expectBadGateway(answer: Answering, told: string): Promise<void> {
  answering = answer
  const response = await rawExchange(gateway.port, get())
  expect([response.status, response.field('cache-control')], told).toEqual([502, 'no-store'])
  expect(response.body).toContain('"UPSTREAM_INVALID_RESPONSE"')
  await expectNextIsRight()
}

const sound = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'

describe('an answer that is not sound HTTP is a 502, and its connection is used no more', () => {
  const withBody = (line: string): string => `${line}\r\nContent-Length: 2\r\n\r\nhi`
  const withField = (field: string): string =>
    `HTTP/1.1 200 OK\r\n${field}\r\n\r\n2\r\nhi\r\n0\r\n\r\n`

  test.each([
    'HTTP/1.1 2000 OK',
    'HTTP/1.1 99 x',
    'HTTP/1.1 099 x',
    'HTTP/1.1 000 x',
    'HTTP/1.1 600 x',
    'HTTP/1.1 999 x',
    'HTTP/1.1 abc x',
    'HTTP/1.1  200 x',
    'HTTP/1.1 200 a\rb',
    'HTTPS/1.1 200 OK',
    'SSH-2.0-x',
    '',
    'HTTP/1.1 101 Switching Protocols',
  ])('status line %j', (line) => expectBadGateway(writing(withBody(line)), line))

  test.each([
    'Content-Length: 2\r\nContent-Length: 3',
    'Content-Length: 2, 2',
    'Content-Length: -1',
    'Content-Length: 0x2',
    'Content-Length: 99999999999999999999',
    'Content-Length: 2\r\nTransfer-Encoding: chunked',
    'Transfer-Encoding: chunked, gzip',
    'Transfer-Encoding: gzip, chunked',
    'Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked',
    'Transfer-Encoding: chunked, chunked',
    'Transfer-Encoding: identity',
    'X: a\x1bb\r\nContent-Length: 0',
    'X: a\0b\r\nContent-Length: 0',
    'X: a\nSet-Cookie: b=1\r\nContent-Length: 0',
    'X: a\rSet-Cookie: b=1\r\nContent-Length: 0',
    'X: a\r\n folded\r\nContent-Length: 0',
    'X A: b\r\nContent-Length: 0',
    'X : b\r\nContent-Length: 0',
    ': b\r\nContent-Length: 0',
    'X\r\nContent-Length: 0',
    'X\xff: a\r\nContent-Length: 0',
    `X: ${'a'.repeat(40_000)}\r\nContent-Length: 0`,
  ])('fields %j', (field) => expectBadGateway(writing(withField(field)), field))

  test.each<readonly [string, Answering]>([
    ['a flood of interim answers', writing('HTTP/1.1 103 x\r\n\r\n'.repeat(50) + sound)],
    ['a connection that closes at once', (socket) => socket.destroy()],
    ['a connection that is reset', (socket) => socket.resetAndDestroy()],
    ['half a head', (socket) => socket.end('HTTP/1.1 200 OK\r\nConte')],
    [
      'a head without end',
      (socket) => {
        socket.write('HTTP/1.1 200 OK\r\nX: ')
        for (let piece = 0; piece < 10; piece++) socket.write('a'.repeat(10_000))
      },
    ],
  ])('%s', (name, answer) => expectBadGateway(answer, name))
})

test.each(['\xe2\x98\x83', 'a\x1b[31mb', 'a\0b', '\xff'])(
  'a reason phrase that must not be passed on is left out: %j',
  async (phrase) => {
    answering = writing(`HTTP/1.1 200 ${phrase}\r\nContent-Length: 2\r\n\r\nhi`)
    expect(await rawExchange(gateway.port, get())).toMatchObject({ status: 200, body: 'hi' })
    await expectNextIsRight()
  },
)

describe('what an upstream sends beyond its answer reaches nobody', () => {
  test.each([
    ['a second answer', `${sound}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL`],
    ['bytes that are none', `${sound}EVIL`],
    ['a body with 204', 'HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nEVIL'],
    ['a body with 304', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nEVIL'],
  ])('%s', async (_name, bytes) => {
    for (let turn = 0; turn < 5; turn++) {
      answering = writing(bytes)
      const response = await rawExchange(gateway.port, get())
      expect([200, 204, 304]).toContain(response.status)
      expect(response.body).not.toContain('EVIL')
      await expectNextIsRight()
    }
  })
})

test.each([
  ['is shorter than it says', 'HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhi'],
  ['breaks its chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\nzz\r\n'],
])('an answer that %s is cut, so that nobody takes it for whole', async (_name, bytes) => {
  answering = (socket) => socket.end(bytes)
  const client = await rawClient(gateway.port)
  client.send(get())
  expect(await client.ended()).not.toMatch(/\r\n0\r\n\r\n$/)
  client.close()
  await expectNextIsRight()
})

test('nothing that an upstream says of itself, or of us, gets out', async () => {
  const fields = [
    'Server: secret/1.0',
    'X-Powered-By: secret',
    'X-Request-Id: forged',
    'Gatehouse-Principal-Id: forged',
    'X-Internal: secret',
    'Connection: keep-alive, X-Internal',
    'Connection: X-Other',
    'X-Other: secret',
  ]
  answering = writing(`HTTP/1.1 200 OK\r\n${fields.join('\r\n')}\r\nContent-Length: 2\r\n\r\nhi`)
  const { fields: sent } = await rawExchange(gateway.port, get())
  expect(JSON.stringify(sent)).not.toMatch(/secret|forged/)
  answering = writing('HTTP/1.1 500 x\r\nContent-Length: 27\r\n\r\nError: secret at /srv/app.js')
  expect((await rawExchange(gateway.port, get())).body).not.toMatch(/secret|srv/)
})
