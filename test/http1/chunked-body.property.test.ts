import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ChunkedBody } from '../../src/http1/chunked-body.ts'
import { InvalidResponse } from '../../src/http1/failures.ts'
import { call } from './call.ts'
import { poolTo } from './scene.ts'
import { startPeer, turn, type Peer } from './peer.ts'

/** Cut bytes at these places, whatever their number. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length]
  ends.sort((one, other) => one - other)
  let from = 0
  return ends.map((end) => bytes.subarray(from, (from = end)))
}

type Read = {
  readonly body: string
  readonly trailers: readonly string[]
  readonly isAtEnd: boolean
  /** What was left over of the bytes. */
  readonly rest: string
}

/** Take the coding off these pieces. */
function read(pieces: readonly Buffer[]): Read {
  const body: Buffer[] = []
  const rest: Buffer[] = []
  const chunked = new ChunkedBody((piece) => body.push(Buffer.from(piece)))
  for (const piece of pieces) {
    const taken = chunked.push(piece)
    if (!chunked.isAtEnd) expect(taken).toBe(piece.length)
    rest.push(piece.subarray(taken))
  }
  return {
    body: latin1(body),
    trailers: chunked.trailers,
    isAtEnd: chunked.isAtEnd,
    rest: latin1(rest),
  }
}

function latin1(pieces: readonly Uint8Array[]): string {
  return Buffer.concat(pieces).toString('latin1')
}

function oneOf(characters: string): fc.Arbitrary<string> {
  return fc.nat(characters.length - 1).map((place) => characters.charAt(place))
}

const visible = '!#$%&\'*+-.^_`|~09azAZ "(),/:;<=>?@[]{}\\\t\x80\xe4\xff'
const token = fc.string({
  unit: oneOf("!#$%&'*+-.^_`|~09azAZ"),
  minLength: 1,
  maxLength: 30,
})
const value = fc
  .string({ unit: oneOf(visible), maxLength: 30 })
  .map((text) => text.replace(/^[\t ]+|[\t ]+$/g, ''))
const field = fc.tuple(token, value)
const space = fc.string({ unit: oneOf(' \t'), maxLength: 3 })

const extension = fc.oneof(
  { weight: 3, arbitrary: fc.constant('') },
  fc.tuple(space, value).map(([before, text]) => `${before};${text}`),
)
const chunk = fc.record({
  bytes: fc.uint8Array({ minLength: 1, maxLength: 600 }),
  extension,
  zeros: fc.nat(4),
  isUpper: fc.boolean(),
})
const chunkedBody = fc.record({
  chunks: fc.array(chunk, { maxLength: 8 }),
  lastZeros: fc.nat(4),
  lastExtension: extension,
  trailers: fc.array(field, { maxLength: 4 }),
})

type Chunk = typeof chunk extends fc.Arbitrary<infer Value> ? Value : never
type Chunked = typeof chunkedBody extends fc.Arbitrary<infer Value> ? Value : never

/** Write a body as RFC 9112 §7.1 says it. */
function encode({ chunks, lastZeros, lastExtension, trailers }: Chunked): Buffer {
  const last = `${'0'.repeat(lastZeros + 1)}${lastExtension}\r\n`
  const fields = trailers.map(([name, text]) => `${name}: ${text}\r\n`).join('')
  return Buffer.from(`${chunks.map(encodeChunk).join('')}${last}${fields}\r\n`, 'latin1')
}

function encodeChunk({ bytes, extension: said, zeros, isUpper }: Chunk): string {
  const size = bytes.length.toString(16)
  const line = `${'0'.repeat(zeros)}${isUpper ? size.toUpperCase() : size}${said}`
  return `${line}\r\n${latin1([bytes])}\r\n`
}

const places = fc.array(fc.nat(), { maxLength: 30 })

test('a body and its trailers are the same, however they are chunked and cut', () => {
  fc.assert(
    fc.property(chunkedBody, places, fc.uint8Array({ maxLength: 20 }), (coded, cuts, behind) => {
      const bytes = Buffer.concat([encode(coded), behind])
      expect(read(cut(bytes, cuts))).toEqual({
        body: latin1(coded.chunks.map((each) => each.bytes)),
        trailers: coded.trailers.flat(),
        isAtEnd: true,
        rest: latin1([behind]),
      })
    }),
    { numRuns: 500 },
  )
})

test('it is at its end with its last byte, and not before', () => {
  fc.assert(
    fc.property(chunkedBody, fc.nat(), (coded, place) => {
      const bytes = encode(coded)
      const begin = bytes.subarray(0, place % bytes.length)
      expect(read([begin])).toMatchObject({ isAtEnd: false, rest: '' })
    }),
  )
})

test('it is the same byte for byte', () => {
  const bytes = Buffer.from('003;a="b"\r\nabc\r\nA ; x\r\n0123456789\r\n0\r\nX: y\r\nZ:\r\n\r\n')
  const each = cut(bytes, [...bytes.keys()])
  expect(read(each)).toEqual({
    body: 'abc0123456789',
    trailers: ['X', 'y', 'Z', ''],
    isAtEnd: true,
    rest: '',
  })
})

describe('what is not written as it must be is refused', () => {
  const long = 'a'.repeat(4_096)

  test.each([
    // sizes
    '\r\n',
    'g\r\n',
    '-1\r\nabc',
    '+1\r\na\r\n',
    '0x1\r\na\r\n',
    '1.0\r\na\r\n',
    ' 1\r\na\r\n',
    '1 \r\na\r\n',
    '1\t\r\na\r\n',
    '1 2\r\na\r\n',
    '1,1\r\na\r\n',
    '\xb2\r\nab\r\n',
    'ffffffffffffffff\r\n',
    '1000000000000\r\n',
    '0000000000001\r\na\r\n',
    ';a\r\n',
    // ends of lines
    '1\na\r\n',
    '1\ra\r\n\n',
    '1\r\r\na\r\n',
    '1;a\na\r\n',
    '1;a\rb\r\na\r\n',
    '0\n\n',
    '0\n\r\n',
    // extensions
    '1a=b\r\n',
    '1 a=b\r\na\r\n',
    '1;\0\r\na\r\n',
    '1;a\x7f\r\na\r\n',
    `1;${long}\r\na\r\n`,
    `1;${long}`,
    // what follows the data
    '1\r\na\n',
    '1\r\na\r\r\n',
    '1\r\nab\r\n',
    '1\r\na0\r\n\r\n',
    '1\r\na\r\n\r\n',
    '1\r\na \r\n',
    `1\r\na${long}b`,
    // trailers
    '0\r\n\n',
    '0\r\nA\r\n\r\n',
    '0\r\nA: b\n\r\n',
    '0\r\nA: b\nC: d\r\n\r\n',
    '0\r\nA: b\r\n c\r\n\r\n',
    '0\r\nA : b\r\n\r\n',
    '0\r\n: b\r\n\r\n',
    '0\r\nA: \0\r\n\r\n',
    '0\r\n\rA: b\r\n\r\n',
    `0\r\n${`A: ${long}\r\n`.repeat(5)}`,
    `0\r\nA: ${long}${long}${long}${long}`,
  ])('%#', (text) => {
    const bytes = Buffer.from(`3\r\nabc\r\n${text}`, 'latin1')
    expect(() => read([bytes])).toThrow(InvalidResponse)
    expect(() => read(cut(bytes, [...bytes.keys()]))).toThrow(InvalidResponse)
  })

  test('while the longest that may be are read', () => {
    const ext = `1;${'a'.repeat(4_092)}\r\na\r\n`
    const trailer = `A: ${'b'.repeat(16_377)}\r\n`
    expect(read([Buffer.from(`${ext}0\r\n${trailer}\r\n`)])).toMatchObject({
      body: 'a',
      trailers: ['A', 'b'.repeat(16_377)],
      isAtEnd: true,
    })
    // The largest size that is read; its data never comes.
    expect(read([Buffer.from('ffffffffffff\r\nabc')])).toMatchObject({ body: 'abc' })
  })
})

describe('an answer arrives as it was written, in whatever pieces', () => {
  let peer: Peer
  beforeAll(async () => {
    peer = await startPeer()
  })
  afterAll(() => peer.close())

  const reserved = /^(?:connection|keep-alive|content-length|transfer-encoding)$/i
  const fields = fc.array(
    field.filter(([name]) => !reserved.test(name)),
    { maxLength: 5 },
  )
  const bodies = fc.oneof(
    fc.record({ kind: fc.constant('chunked' as const), coded: chunkedBody }),
    fc.record({
      kind: fc.constantFrom('sized' as const, 'until-close' as const),
      bytes: fc.uint8Array({ maxLength: 2_000 }),
    }),
  )
  const answers = fc.record({
    interim: fc.array(fc.tuple(fc.constantFrom(100, 102, 103, 199), fields), { maxLength: 3 }),
    status: fc.integer({ min: 200, max: 599 }).filter((status) => ![204, 304].includes(status)),
    reason: value,
    fields,
    body: bodies,
  })
  type Said = typeof answers extends fc.Arbitrary<infer Value> ? Value : never

  const framings: Readonly<Record<Said['body']['kind'], (bytes: number) => string>> = {
    chunked: () => 'Transfer-Encoding: chunked\r\n',
    sized: (bytes) => `Content-Length: ${bytes}\r\n`,
    'until-close': () => '',
  }

  function written({ interim, status, reason, fields: said, body }: Said): Buffer {
    const bytes = body.kind === 'chunked' ? encode(body.coded) : Buffer.from(body.bytes)
    const before = interim.map(([early, its]) => `HTTP/1.1 ${early} x\r\n${lines(its)}\r\n`)
    const framing = framings[body.kind](bytes.length)
    const head = `${before.join('')}HTTP/1.1 ${status} ${reason}\r\n${lines(said)}${framing}\r\n`
    return Buffer.concat([Buffer.from(head, 'latin1'), bytes])
  }

  const lines = (list: readonly (readonly [string, string])[]): string =>
    list.map(([name, text]) => `${name}: ${text}\r\n`).join('')

  function expected({ interim, status, reason, fields: said, body }: Said) {
    const length = body.kind === 'sized' ? ['Content-Length', String(body.bytes.length)] : []
    const coding = body.kind === 'chunked' ? ['Transfer-Encoding', 'chunked'] : []
    return {
      status,
      reason,
      rawFields: [...said.flat(), ...length, ...coding],
      interim: interim.map(([early, its]) => [early, its.flat()]),
      body: latin1(body.kind === 'chunked' ? body.coded.chunks.map((c) => c.bytes) : [body.bytes]),
      trailers: body.kind === 'chunked' ? body.coded.trailers.flat() : [],
    }
  }

  test('and the next request finds the connection as good as new', async () => {
    const pool = poolTo(peer.url, { connections: 1 })
    let ended = 0
    await fc.assert(
      fc.asyncProperty(answers, fc.array(fc.nat(), { maxLength: 12 }), async (said, cuts) => {
        peer.listener = ({ socket }) => {
          void writePieces(cut(written(said), cuts), socket).then(() => {
            if (said.body.kind === 'until-close') socket.end()
          })
        }
        expect(await call(pool, {}).answer).toMatchObject(expected(said))
        if (said.body.kind === 'until-close') ended += 1
      }),
      { numRuns: 300 },
    )
    // Each connection was used until an answer that ended with it.
    expect(peer.connections.length - ended).toBeLessThanOrEqual(1)
    await pool.close()
  })
})

/** Each in a turn of its own, so that they can arrive apart. */
async function writePieces(pieces: readonly Buffer[], to: NodeJS.WritableStream): Promise<void> {
  for (const piece of pieces) {
    to.write(piece)
    await turn()
  }
}
