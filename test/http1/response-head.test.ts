import { describe, expect, test } from 'vitest'
import { InvalidResponse } from '../../src/http1/failures.ts'
import {
  readResponseHead,
  readTrailers,
  type ResponseFraming,
  type ResponseHead,
} from '../../src/http1/response-head.ts'

type Asking = { readonly method?: string; readonly line?: string }

/** Read a head of these field lines. */
function read(lines: readonly string[], { method = 'GET', line }: Asking = {}): ResponseHead {
  const all = [line ?? 'HTTP/1.1 200 OK', ...lines]
  return readResponseHead(all.map((each) => `${each}\r\n`).join(''), method)
}

const none: ResponseFraming = { kind: 'none' }
const chunked: ResponseFraming = { kind: 'chunked' }
const untilClose: ResponseFraming = { kind: 'until-close' }
const sized = (bytes: number): ResponseFraming => ({ kind: 'sized', bytes })

test('a head is read into its parts, and keeps names, order and bytes as they came', () => {
  const lines = [
    'Server: a',
    'X-One:  b \t',
    'x-one:c',
    'Empty:',
    'Blank: \t ',
    'L: \xe4\x80 "a:b"',
  ]
  expect(read(lines, { line: 'HTTP/1.1 404 Not \xe4 Found' })).toEqual({
    status: 404,
    reason: 'Not \xe4 Found',
    rawFields: [
      ...['Server', 'a', 'X-One', 'b', 'x-one', 'c', 'Empty', '', 'Blank', ''],
      ...['L', '\xe4\x80 "a:b"'],
    ],
    framing: untilClose,
    restMs: undefined,
  })
})

test.each([
  ['HTTP/1.1 200 OK', 200, 'OK'],
  ['HTTP/1.1 200 ', 200, ''],
  ['HTTP/1.1 200', 200, ''],
  ['HTTP/1.1 200  two  spaces ', 200, ' two  spaces '],
  ['HTTP/1.1 100 Continue', 100, 'Continue'],
  ['HTTP/1.0 599 x', 599, 'x'],
  ['HTTP/1.1 999 x', 999, 'x'],
  ['HTTP/1.1 200 a\0b\x1b', 200, 'a\0b\x1b'],
])('status line %j', (line, status, reason) => {
  expect(read([], { line })).toMatchObject({ status, reason, rawFields: [] })
})

test('every character of a token may be in a name', () => {
  const name = "!#$%&'*+-.^_`|~09azAZ"
  expect(read([`${name}: x`]).rawFields).toEqual([name, 'x'])
})

describe('where the body ends', () => {
  test.each<[readonly string[], ResponseFraming]>([
    [[], untilClose],
    [['Content-Length: 0'], sized(0)],
    [['Content-Length: 5'], sized(5)],
    [['cOnTeNt-LeNgTh:005\t'], sized(5)],
    [['Content-Length: 999999999999999'], sized(999_999_999_999_999)],
    [['Transfer-Encoding: chunked'], chunked],
    [['transfer-encoding: CHUNKED '], chunked],
    [['Content-Lengthy: 5'], untilClose],
    [['Content_Length: 5'], untilClose],
    [['X-Transfer-Encodi: a'], untilClose],
  ])('of %j', (lines, framing) => {
    expect(read(lines).framing).toEqual(framing)
  })

  test.each<[string, Asking]>([
    ['HEAD', { method: 'HEAD' }],
    ['HEAD, whose answer is an error', { method: 'HEAD', line: 'HTTP/1.1 404 x' }],
    ['100', { line: 'HTTP/1.1 100 Continue' }],
    ['103', { line: 'HTTP/1.1 103 Early Hints' }],
    ['199', { line: 'HTTP/1.1 199 x' }],
    ['204', { line: 'HTTP/1.1 204 No Content' }],
    ['304', { line: 'HTTP/1.1 304 Not Modified' }],
  ])('%s has none, whatever is said of it', (_name, asking) => {
    for (const lines of [[], ['Content-Length: 5'], ['Transfer-Encoding: chunked']]) {
      expect(read(lines, asking).framing).toEqual(none)
    }
  })

  test.each(['200', '201', '203', '205', '206', '300', '303', '305', '400', '500', '999'])(
    '%s has one where a length says so',
    (status) => {
      const line = `HTTP/1.1 ${status} x`
      expect(read(['Content-Length: 5'], { line }).framing).toEqual(sized(5))
    },
  )

  test('the length that HEAD and 304 tell of is passed on', () => {
    const rawFields = ['Content-Length', '5']
    expect(read(['Content-Length: 5'], { method: 'HEAD' })).toMatchObject({ rawFields })
    expect(read(['Content-Length: 5'], { line: 'HTTP/1.1 304 x' })).toMatchObject({ rawFields })
  })

  test('HTTP/1.0 has a length or ends with its connection', () => {
    const line = 'HTTP/1.0 200 OK'
    expect(read(['Content-Length: 5'], { line }).framing).toEqual(sized(5))
    expect(read([], { line }).framing).toEqual(untilClose)
  })
})

describe('how long a connection may rest', () => {
  const length = 'Content-Length: 5'

  test.each<[readonly string[], number | undefined]>([
    [[], undefined],
    [['Connection: keep-alive'], undefined],
    [['Connection: closed'], undefined],
    [['Connection: close-x, x-close, "close", clos e'], undefined],
    [['Connection:'], undefined],
    [['Xonnection: close'], undefined],
    [['Connection: close'], 0],
    [['connection: CLOSE'], 0],
    [['Connection: keep-alive, close'], 0],
    [['Connection: close,keep-alive'], 0],
    [['Connection: a,\t close\t ,b'], 0],
    [['Connection: keep-alive', 'Connection: close'], 0],
    [['Connection: close', 'Connection: x'], 0],
    [['Keep-Alive: timeout=5'], 3_000],
    [['keep-alive: TIMEOUT=5'], 3_000],
    [['Keep-Alive: max=100, timeout=7'], 5_000],
    [['Keep-Alive: timeout=2'], 0],
    [['Keep-Alive: timeout=1'], 0],
    [['Keep-Alive: timeout=0'], 0],
    [['Keep-Alive: timeout=999999999'], 600_000],
    [['Keep-Alive: timeout=9999999999'], undefined],
    [['Keep-Alive: timeout=-5'], undefined],
    [['Keep-Alive: timeout=soon'], undefined],
    [['Keep-Alive: max=100'], undefined],
    [['Keep-Alive: timeout=5', 'Connection: close'], 0],
  ])('after %j', (lines, restMs) => {
    expect(read([length, ...lines]).restMs).toBe(restMs)
  })

  test.each<[readonly string[], number | undefined]>([
    [[], 0],
    [['Connection: x'], 0],
    [['Keep-Alive: timeout=5'], 0],
    [['Connection: keep-alive, close'], 0],
    [['Connection: keep-alive'], undefined],
    [['Connection: x, Keep-Alive', 'Keep-Alive: timeout=5'], 3_000],
  ])('after HTTP/1.0 with %j', (lines, restMs) => {
    expect(read([length, ...lines], { line: 'HTTP/1.0 200 OK' }).restMs).toBe(restMs)
  })

  // Those that send a body all the same would have it taken for the next answer.
  test.each<[string, readonly string[], Asking, number | undefined]>([
    ['HEAD', [], { method: 'HEAD' }, 0],
    ['HEAD', ['Content-Length: 0'], { method: 'HEAD' }, 0],
    ['204', [], { line: 'HTTP/1.1 204 x' }, undefined],
    ['204', ['Content-Length: 0'], { line: 'HTTP/1.1 204 x' }, undefined],
    ['204', ['Content-Length: 5'], { line: 'HTTP/1.1 204 x' }, 0],
    ['204', ['Transfer-Encoding: chunked'], { line: 'HTTP/1.1 204 x' }, 0],
    ['304', [], { line: 'HTTP/1.1 304 x' }, undefined],
    ['304', ['Content-Length: 5'], { line: 'HTTP/1.1 304 x' }, 0],
    ['304', ['Transfer-Encoding: chunked'], { line: 'HTTP/1.1 304 x' }, 0],
  ])('after %s with %j', (_name, lines, asking, restMs) => {
    expect(read(lines, asking).restMs).toBe(restMs)
  })
})

describe('a head that two readers could understand differently is refused', () => {
  test.each([
    '',
    ' HTTP/1.1 200 OK',
    'HTTP/1.1',
    'HTTP/1.1 ',
    'HTTP/1.1 20',
    'HTTP/1.1 2000 OK',
    'HTTP/1.1 200OK',
    'HTTP/1.1 200\tOK',
    'HTTP/1.1  200 OK',
    'HTTP/1.1\t200 OK',
    'HTTP/1.1 099 x',
    'HTTP/1.1 000 x',
    'HTTP/1.1 -20 x',
    'HTTP/1.1 2\xb20 x',
    'HTTP/1.2 200 OK',
    'HTTP/2.0 200 OK',
    'HTTP/0.9 200 OK',
    'HTTP/11 200 OK',
    'HTTP/1.10 200 OK',
    'http/1.1 200 OK',
    'HTTPS/1.1 200 OK',
    'HTTP/1.1 200 a\rb',
    'HTTP/1.1 200 a\nb: c',
  ])('status line %j', (line) => {
    expect(() => read(['Content-Length: 0'], { line })).toThrow(InvalidResponse)
  })

  test.each([
    // §2.2: a line ends with CR LF, and nothing else ends one
    'A: b\nC: d',
    'A: b\rC: d',
    'A: b\n',
    'A: b\r',
    '\nA: b',
    // §5: a name is a token with its colon behind it
    'A',
    ': b',
    'A : b',
    'A\t: b',
    'A B: c',
    ' A: b',
    '\tA: b',
    'A(: b',
    '"A": b',
    'A/B: c',
    'A@B: c',
    'A\xe4: b',
    'A\0: b',
    // §5.2: nothing is folded
    'A: b\r\n c',
    'A: b\r\n\tc',
    // §5.5: no control characters in a value
    'A: b\0c',
    'A: b\x01c',
    'A: b\x1bc',
    'A: b\x7fc',
    // an empty line would end the head
    'A: b\r\n\r\nC: d',
  ])('field lines %j', (lines) => {
    expect(() => read([lines])).toThrow(InvalidResponse)
    expect(() => read(['X: y', lines, 'Content-Length: 0'])).toThrow(InvalidResponse)
  })

  test.each([
    ['HTTP/1.1 200 OK'],
    ['HTTP/1.1 200 OK\n'],
    ['HTTP/1.1 200 OK\r'],
    ['HTTP/1.1 200 OK\r\nA: b'],
    ['HTTP/1.1 200 OK\r\nA: b\n'],
    ['HTTP/1.1 200 OK\nA: b\r\n'],
    ['HTTP/1.1 200 OK\r\nA: b\r\n\r\n'],
  ])('ends of lines in %j', (text) => {
    expect(() => readResponseHead(text, 'GET')).toThrow(InvalidResponse)
  })

  // §6.1, §6.3
  test.each<[readonly string[]]>([
    [['Content-Length:']],
    [['Content-Length: x']],
    [['Content-Length: -1']],
    [['Content-Length: +1']],
    [['Content-Length: 1.0']],
    [['Content-Length: 1e3']],
    [['Content-Length: 0x2']],
    [['Content-Length: 1 2']],
    [['Content-Length: 2, 2']],
    [['Content-Length: 2;a']],
    [['Content-Length: 1000000000000000']],
    [['Content-Length: 99999999999999999999']],
    [['Content-Length: 2', 'Content-Length: 3']],
    [['Content-Length: 2', 'Content-Length: 2']],
    [['Content-Length: 2', 'content-length:']],
    [['Content-Length: 2', 'Transfer-Encoding: chunked']],
    [['Transfer-Encoding: chunked', 'Content-Length: 0']],
    [['Transfer-Encoding:']],
    [['Transfer-Encoding: identity']],
    [['Transfer-Encoding: gzip']],
    [['Transfer-Encoding: gzip, chunked']],
    [['Transfer-Encoding: chunked, gzip']],
    [['Transfer-Encoding: chunked, chunked']],
    [['Transfer-Encoding: chunked,']],
    [['Transfer-Encoding: ,chunked']],
    [['Transfer-Encoding: xchunked']],
    [['Transfer-Encoding: chunked;a=b']],
    [['Transfer-Encoding: "chunked"']],
    [['Transfer-Encoding: chunked\xa0']],
    [['Transfer-Encoding: gzip', 'Transfer-Encoding: chunked']],
    [['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked']],
    [['Transfer-Encoding: chunked', 'Transfer-Encoding:']],
  ])('framing %j', (lines) => {
    const refused: readonly Asking[] = [
      {},
      { line: 'HTTP/1.0 200 OK' },
      { method: 'HEAD' },
      { line: 'HTTP/1.1 204 x' },
      { line: 'HTTP/1.1 304 x' },
      { line: 'HTTP/1.1 103 x' },
    ]
    for (const asking of refused) expect(() => read(lines, asking)).toThrow(InvalidResponse)
  })

  test('chunks from HTTP/1.0', () => {
    const line = 'HTTP/1.0 200 OK'
    expect(() => read(['Transfer-Encoding: chunked'], { line })).toThrow(InvalidResponse)
  })
})

describe('trailers', () => {
  test.each<[string, readonly string[]]>([
    ['', []],
    ['A: b\r\n', ['A', 'b']],
    ['A: b:c \r\nA:\t\r\nd:\xe4\r\n', ['A', 'b:c', 'A', '', 'd', '\xe4']],
  ])('%j', (text, trailers) => {
    expect(readTrailers(text)).toEqual(trailers)
  })

  test.each(['A', 'A: b', 'A: b\n', 'A: b\r\n\r\n', '\r\n', 'A : b\r\n', ' A: b\r\n', 'A: \0\r\n'])(
    'refused: %j',
    (text) => {
      expect(() => readTrailers(text)).toThrow(InvalidResponse)
    },
  )
})
