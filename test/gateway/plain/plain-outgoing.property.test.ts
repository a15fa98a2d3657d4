import fc from 'fast-check'
import { createServer } from 'node:http'
import type { AddressInfo, Server } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Outgoing } from '../../../src/gateway/message.ts'
import { servePlain } from '../../../src/gateway/plain/plain-connections.ts'
import { SecuredResponse } from '../../../src/gateway/secured-response.ts'
import { rawClient } from '../../support/raw-client.ts'
import { serverLimits } from './limits.ts'

/** How an answer is written. */
type Script = {
  readonly status: number
  readonly reason: string | undefined
  readonly fields: readonly string[]
  readonly security: readonly string[]
  readonly keeps: boolean
  readonly flushes: boolean
  readonly pieces: readonly string[]
  /** Whether there is a turn of the event loop between the pieces. */
  readonly rests: boolean
  readonly trailers: [string, string][]
  readonly last: { readonly as: 'text' | 'bytes' | 'none'; readonly text: string }
  readonly isSized: boolean
}

let script: Script
let byNode: Server
let ours: Server
let answeredPlain = 0
beforeAll(async () => {
  const options = {
    keepAliveTimeout: serverLimits.keepAliveTimeoutMs,
    ServerResponse: SecuredResponse,
  }
  byNode = createServer(options, (_incoming, outgoing) => void play(outgoing))
  // Where a head is there long before its end, the next request comes before the answer has ended.
  const server = createServer(options, (_incoming, outgoing) => void play(outgoing))
  servePlain(server, 'connection', {
    limits: serverLimits,
    onRequest(_state, _incoming, outgoing) {
      answeredPlain += 1
      void play(outgoing)
    },
    onOther: () => undefined,
    onUnreadable: () => undefined,
  })
  ours = server
  for (const each of [byNode, ours]) {
    await new Promise<void>((resolve) => each.listen(0, '127.0.0.1', resolve))
  }
})
afterAll(() => {
  byNode.close()
  ours.close()
})

async function play(outgoing: Outgoing): Promise<void> {
  const { status, reason, pieces, trailers, last, isSized } = script
  const fields = [...script.fields]
  const length = pieces.join('').length + (last.as === 'none' ? 0 : last.text.length)
  if (isSized) fields.push('Content-Length', String(length))
  outgoing.security = script.security
  outgoing.shouldKeepAlive = script.keeps
  if (reason === undefined) outgoing.writeHead(status, fields)
  else outgoing.writeHead(status, reason, fields)
  if (script.flushes) outgoing.flushHeaders()
  for (const piece of pieces) {
    outgoing.write(Buffer.from(piece, 'latin1'))
    if (script.rests) await new Promise(setImmediate)
  }
  if (trailers.length > 0) outgoing.addTrailers(trailers)
  if (last.as === 'text') outgoing.end(last.text, 'latin1')
  else if (last.as === 'bytes') outgoing.end(Buffer.from(last.text, 'latin1'))
  else outgoing.end()
}

/** The bytes of the answer to a request, and of the one behind it, on one connection. */
async function answersOf(server: Server, method: string): Promise<string> {
  const client = await rawClient((server.address() as AddressInfo).port)
  let bytes = ''
  client.socket.on('data', (piece: Buffer) => {
    bytes += piece.toString('latin1')
  })
  const head = method === 'HEAD'
  client.send(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`)
  await client.response({ head })
  if (script.keeps && !script.fields.includes('close')) {
    client.send(`${method} /again HTTP/1.1\r\nHost: a\r\n\r\n`)
    await client.response({ head })
  } else {
    await client.ended()
  }
  client.close()
  return joined(bytes, head || [204, 304].includes(script.status)).replace(
    /^Date: .*$/gm,
    'Date: now',
  )
}

/** How a chunked body is cut says nothing; where it ends, and with which trailers, does. */
function joined(bytes: string, isBare: boolean): string {
  const endOfHead = bytes.indexOf('\r\n\r\n') + 4
  if (endOfHead < 4) return bytes
  const head = bytes.slice(0, endOfHead)
  if (isBare || !/^Transfer-Encoding: chunked\r$/m.test(head)) {
    const length = isBare ? 0 : Number(/^Content-Length: (\d+)\r$/m.exec(head)?.[1])
    const end = endOfHead + length
    return bytes.slice(0, end) + joined(bytes.slice(end), isBare)
  }
  let body = ''
  let at = endOfHead
  for (;;) {
    const endOfLine = bytes.indexOf('\r\n', at)
    const length = Number.parseInt(bytes.slice(at, endOfLine), 16)
    if (length === 0) {
      const end = bytes.indexOf('\r\n\r\n', at) + 4
      return `${head}${body}${bytes.slice(at, end)}${joined(bytes.slice(end), isBare)}`
    }
    body += bytes.slice(endOfLine + 2, endOfLine + 2 + length)
    at = endOfLine + 4 + length
  }
}

const text = fc.oneof(
  fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) }),
  fc.integer({ min: 1, max: 200_000 }).map((length) => 'x'.repeat(length)),
)
const scripts = fc
  .record<Script>({
    status: fc.constantFrom(200, 201, 204, 304, 404, 429, 503, 599),
    reason: fc.constantFrom(undefined, '', 'Fine', 'Très bien'),
    fields: fc.constantFrom(
      [],
      ['Content-Type', 'text/plain', 'Set-Cookie', 'a', 'Set-Cookie', 'b'],
      ['date', 'Tue, 01 Dec 2026 00:00:00 GMT', 'X-Odd', 'caf\xe9 \t'],
      ['Connection', 'close'],
      ['Connection', 'keep-alive', 'Keep-Alive', 'timeout=7'],
    ),
    security: fc.constantFrom([], ['Strict-Transport-Security', 'max-age=1']),
    keeps: fc.boolean(),
    flushes: fc.boolean(),
    pieces: fc.array(text, { maxLength: 3 }),
    rests: fc.boolean(),
    trailers: fc.constantFrom<[string, string][]>(
      [],
      [
        ['X-Sum', '1'],
        ['X-Sum', '2'],
      ],
    ),
    last: fc.record({ as: fc.constantFrom('text', 'bytes', 'none'), text }),
    isSized: fc.boolean(),
  })
  .filter((each) => !contradicts(each) && (!each.flushes || isAscii(each)))

/** Node writes a head that is flushed in UTF-8, whatever its bytes were. */
function isAscii({ reason, fields }: Script): boolean {
  return /^[\t\x20-\x7e]*$/.test([reason, ...fields].join(''))
}

/** Nobody says of a connection that it is kept where it is not. */
function contradicts({ keeps, fields }: Script): boolean {
  return !keeps && fields.includes('keep-alive')
}

test('an answer is written as Node writes it, byte for byte', async () => {
  await fc.assert(
    fc.asyncProperty(scripts, fc.constantFrom('GET', 'HEAD', 'POST'), async (next, method) => {
      script = next
      expect(await answersOf(ours, method)).toBe(await answersOf(byNode, method))
    }),
    { numRuns: 300 },
  )
  expect(answeredPlain).toBeGreaterThan(300)
})
