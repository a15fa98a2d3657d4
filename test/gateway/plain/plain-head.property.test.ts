import fc from 'fast-check'
import { createServer } from 'node:http'
import { Duplex } from 'node:stream'
import { expect, test } from 'vitest'
import { readPlainHead } from '../../../src/gateway/plain/plain-head.ts'

/** What a reader makes of bytes: one request and nothing else. */
type Reading = {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly rawHeaders: readonly string[]
  readonly keeps: boolean
  readonly body: string
}

/** Node's own reading, by its server; undefined where it refuses, or takes anything for special. */
async function readByNode(text: string): Promise<Reading | undefined> {
  const server = createServer({ requireHostHeader: false })
  server.maxHeadersCount = 0
  const socket = new Duplex({
    read() {
      return undefined
    },
    write(_chunk, _encoding, done) {
      done()
    },
  })
  const readings: Reading[] = []
  const special: string[] = []
  server.on('request', (incoming, outgoing) => {
    const { method, url, rawHeaders } = incoming
    const pieces: Buffer[] = []
    incoming.on('data', (piece: Buffer) => pieces.push(piece))
    incoming.on('end', () => {
      const body = Buffer.concat(pieces).toString('latin1')
      readings.push({ method, url, rawHeaders, keeps: outgoing.shouldKeepAlive, body })
      outgoing.end()
    })
  })
  for (const event of ['checkContinue', 'checkExpectation', 'connect', 'upgrade', 'clientError']) {
    server.on(event, () => special.push(event))
  }
  server.emit('connection', socket)
  socket.push(Buffer.from(text, 'latin1'))
  await new Promise(setImmediate)
  await new Promise(setImmediate)
  socket.destroy()
  return special.length > 0 || readings.length !== 1 ? undefined : readings[0]
}

/** Ours; undefined where it leaves the bytes to Node. */
function read(text: string): Reading | undefined {
  const endOfHead = text.indexOf('\r\n\r\n') + 4
  const head = endOfHead < 4 ? undefined : readPlainHead(text.slice(0, endOfHead))
  if (head?.bodyBytes !== text.length - endOfHead) return undefined
  const { method, url, rawHeaders } = head
  return { method, url, rawHeaders, keeps: true, body: text.slice(endOfHead) }
}

const method = fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE')
const target = fc
  .string({ unit: fc.integer({ min: 0x21, max: 0x7e }).map((c) => String.fromCharCode(c)) })
  .map((text) => `/${text}`)
const value = fc.string({
  unit: fc.constantFrom('a', 'Z', '0', ' ', '\t', ',', ';', ':', '"', '\\', '\x80', '\xff', '~'),
})
const field = fc.oneof(
  fc.tuple(fc.constantFrom('Host', 'X-A', 'x-a', 'Accept', '!#$%&', '__proto__', 'Cookie'), value),
  fc.constantFrom<[string, string]>(
    ['Connection', 'keep-alive'],
    ['connection', ' Keep-Alive'],
    ['Connection', 'close'],
    ['Connection', 'Upgrade'],
    ['Upgrade', 'websocket'],
    ['Proxy-Connection', 'close'],
    ['Expect', '100-continue'],
    ['Transfer-Encoding', 'chunked'],
    ['Content-Length', '0'],
    ['Content-Length', '4'],
    ['Content-Length', '04'],
    ['Content-Length', ' 4 '],
    ['Content-Length', '+4'],
    ['Keep-Alive', 'timeout=1'],
  ),
)
const request = fc
  .record({
    method,
    target,
    fields: fc.array(field, { maxLength: 6 }),
    body: fc.constantFrom('', '', 'body', 'GET / HTTP/1.1\r\n\r\n'),
  })
  .map(({ method: verb, target: url, fields, body }) => {
    const lines = fields.map(([name, text]) => `${name}:${text}\r\n`)
    return `${verb} ${url} HTTP/1.1\r\n${lines.join('')}\r\n${body}`
  })

/** A change of one place: what stands there goes, and something that readers differ about comes. */
const change = fc.record({
  at: fc.nat(),
  gone: fc.nat({ max: 2 }),
  come: fc.constantFrom(
    '',
    '\r',
    '\n',
    '\r\n',
    ' ',
    '\t',
    ':',
    '\0',
    '\x7f',
    '\x0b',
    '\x80',
    'a',
    '0',
  ),
})

test('whatever is read as plain, Node reads as the same one request', async () => {
  let plain = 0
  let left = 0
  await fc.assert(
    fc.asyncProperty(request, fc.array(change, { maxLength: 2 }), async (sound, changes) => {
      let text = sound
      for (const { at, gone, come } of changes) {
        const place = at % text.length
        text = text.slice(0, place) + come + text.slice(place + gone)
      }
      const ours = read(text)
      if (ours === undefined) {
        left += 1
        return
      }
      plain += 1
      expect(ours).toEqual(await readByNode(text))
    }),
    { numRuns: 20_000 },
  )
  // Neither is the exception.
  expect(plain).toBeGreaterThan(1_000)
  expect(left).toBeGreaterThan(1_000)
})

test('what Node refuses, or reads as more than a request and its body, is left to it', () => {
  const get = 'GET / HTTP/1.1\r\nHost: a\r\n'
  expect(read(`${get}\r\n`)?.url).toBe('/')
  expect(read(`${get}Content-Length: 4\r\n\r\nbody`)?.body).toBe('body')
  for (const text of [
    get,
    `${get}\r\n${get}\r\n`,
    `\r\n${get}\r\n`,
    `${get}\r\n\n`,
    get.replaceAll('\r\n', '\n') + '\n',
    get.replace('1.1', '1.0') + '\r\n',
    get.replace('1.1', '2.0') + '\r\n',
    get.replace('/ ', '* ') + '\r\n',
    get.replace('/ ', 'http://a/ ') + '\r\n',
    get.replace('GET', 'get') + '\r\n',
    get.replace('GET', 'CONNECT') + '\r\n',
    get.replace('GET ', 'GET  ') + '\r\n',
    `${get}X : a\r\n\r\n`,
    `${get}X: a\r\n b\r\n\r\n`,
    `${get}X: a\0\r\n\r\n`,
    `${get}X: a\rb\r\n\r\n`,
    `${get}: a\r\n\r\n`,
    `${get}Content-Length: 5\r\n\r\nbody`,
    `${get}Content-Length: 3\r\n\r\nbody`,
    `${get}Content-Length: 4\r\nContent-Length: 4\r\n\r\nbody`,
    `${get}Content-Length: 4, 4\r\n\r\nbody`,
    `${get}Content-Length: 04\r\n\r\nbody`,
    `${get}Content-Length: 0x4\r\n\r\nbody`,
    `${get}Content-Length:\r\n\r\n`,
    `${get}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    `${get}TRANSFER-ENCODING: identity\r\n\r\n`,
    `${get}Connection: close\r\n\r\n`,
    `${get}Connection: keep-alive, x-a\r\n\r\n`,
    `${get}Proxy-Connection: keep-alive\r\n\r\n`,
    `${get}Upgrade: h2c\r\n\r\n`,
    `${get}EXPECT: 100-continue\r\n\r\n`,
  ]) {
    expect(read(text), text).toBeUndefined()
  }
})
