import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { until } from '../support/until.ts'
import { expectRefusal } from './refusal.ts'
import { openScene, statusesIn, type Scene } from './scene.ts'

let scene: Scene
beforeAll(async () => {
  scene = await openScene({ requests: { maxRequestsPerConnection: 20 } })
})
beforeEach(() => {
  scene.upstream.reset()
})
afterAll(() => scene.close())

const smuggled = (): string =>
  `GET /things/smuggled HTTP/1.1\r\nHost: a\r\n${scene.authorization}\r\n`

function post(fields: string, body: string, version = 'HTTP/1.1'): string {
  return `POST /x ${version}\r\nHost: a\r\n${scene.authorization}${fields}\r\n${body}`
}

/** Send each with a sound request behind it: of one whose end is in doubt, nothing passes. */
async function expectNothingPasses(attacks: readonly string[]): Promise<void> {
  await Promise.all(
    attacks.map(async (bytes) => {
      const status = expectRefusal(await scene.attack(bytes + smuggled()), bytes)
      expect([400, 431, 501], JSON.stringify(bytes)).toContain(status)
    }),
  )
  expect(scene.upstream.requests).toEqual([])
}

describe('of a request whose end two readers could see in different places nothing passes', () => {
  test('both framings at once, either first', () =>
    expectNothingPasses([
      post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
      post('Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', '0\r\n\r\n'),
      post('Content-Length: 0\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
      post('Transfer-Encoding: chunked\r\nConnection: content-length\r\nContent-Length: 5\r\n', ''),
    ]))

  test.each([
    'gzip, chunked',
    'gzip',
    'chunked, gzip',
    'chunked, chunked',
    ',chunked',
    'chunked,',
    'xchunked',
    'chunked;a=b',
    'identity',
    '"chunked"',
    'chu\0nked',
    '\x0bchunked',
    'chunked\x0b',
    'chunked\x00',
    'cow\r\nTransfer-Encoding: chunked',
    'chunked\r\nTransfer-Encoding: identity',
    '',
  ])('Transfer-Encoding: %j', (coding) =>
    expectNothingPasses([post(`Transfer-Encoding: ${coding}\r\n`, '5\r\nhello\r\n0\r\n\r\n')]),
  )

  test('chunks in HTTP/1.0, or in a version that is none', () =>
    expectNothingPasses(
      ['HTTP/1.0', 'HTTP/2.0', 'HTTP/0.9', 'HTTP/1.2', 'HTTP/11', 'http/1.1'].map((version) =>
        post('Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n', version),
      ),
    ))

  test('lengths that are none, too many, or different', () =>
    expectNothingPasses(
      [
        ...['5, 5', '+5', '-5', '0x5', '', '5a', '5.0', '1e1', '5 5', '5\0', '0;', '\xd9\xa5'],
        ...['99999999999999999999', '18446744073709551616', '9007199254740993'],
        '5\r\nContent-Length: 5',
        '5\r\nContent-Length: 0',
        '0\r\nContent-Length: 5',
        '5\r\n Content-Length: 0',
      ].map((length) => post(`Content-Length: ${length}\r\n`, 'hello')),
    ))

  test('line ends, folds and names that only some readers take', () =>
    expectNothingPasses(
      [
        'X-A: b\r\n c\r\n',
        'X-A:\r\n\tb\r\n',
        ' X-A: b\r\n',
        'X-A : b\r\n',
        'X A: b\r\n',
        'X-A\r\n',
        ': b\r\n',
        'X-A: a\nX-B: b\r\n',
        'X-A: a\rX-B: b\r\n',
        'X-A: a\r\r\n',
        'X-A: a\n\r\n',
        'X-A: a\0b\r\n',
        'X\0A: b\r\n',
        'X-A: \x1b[31m\r\n',
        'X-A: \x7f\r\n',
        'X-\xff: a\r\n',
        '(x): a\r\n',
        'Transfer-Encoding\t: chunked\r\n',
        'Transfer-Encoding : chunked\r\n',
        'Content-Length\0: 5\r\n',
        'Content-Length : 5\r\n',
      ].map((field) => post(field, '')),
    ))
})

describe('a body whose chunks are broken', () => {
  const broken = [
    '5\nhello\r\n0\r\n\r\n',
    '5\r\nhello\n0\r\n\r\n',
    '5\r\nhello\r\n0\n\n',
    '5 \r\nhello\r\n0\r\n\r\n',
    ' 5\r\nhello\r\n0\r\n\r\n',
    '0x5\r\nhello\r\n0\r\n\r\n',
    '+5\r\nhello\r\n0\r\n\r\n',
    '-5\r\nhello\r\n0\r\n\r\n',
    '5;\r\nhello\r\n0\r\n\r\n',
    '5;a="\r\nhello\r\n0\r\n\r\n',
    '5;a\nb\r\nhello\r\n0\r\n\r\n',
    `5;${'a'.repeat(20_000)}\r\nhello\r\n0\r\n\r\n`,
    '5\r\nhelloX\r\n0\r\n\r\n',
    '5\r\nhello0\r\n\r\n',
    'ffffffffffffffffff\r\nhello',
    '\r\nhello\r\n0\r\n\r\n',
    'g\r\nhello\r\n0\r\n\r\n',
    '5_0\r\nhello\r\n0\r\n\r\n',
    '5\rhello\r\n0\r\n\r\n',
    '5\0\r\nhello\r\n0\r\n\r\n',
    '5\r\nhello\r\n0\r\nTransfer-Encoding: x\r\n\r\n',
    '5\r\nhello\r\n0\r\nX T: a\r\n\r\n',
  ]

  test('that comes with its head is never a whole request upstream', async () => {
    await Promise.all(
      broken.map(async (chunks) => {
        const text = await scene.attack(post('Transfer-Encoding: chunked\r\n', chunks) + smuggled())
        expect([400, 413], chunks).toContain(expectRefusal(text, chunks))
      }),
    )
    await until(() => scene.upstream.inFlight() === 0)
    expect(scene.upstream.requests.filter(({ body }) => body !== undefined)).toEqual([])
  })

  test('that comes after its head neither, and the upstream’s request is cut', async () => {
    scene.upstream.behave(() => undefined)
    await Promise.all(
      broken.map(async (chunks) => {
        const text = await scene.attack(
          post('Transfer-Encoding: chunked\r\n', ''),
          chunks + smuggled(),
        )
        expect([400, 413], chunks).toContain(expectRefusal(text, chunks))
      }),
    )
    const { requests } = scene.upstream
    await until(() => requests.every(({ aborted }) => aborted))
    expect(requests.filter(({ url }) => url !== '/x')).toEqual([])
  })
})

describe('what is unusual and plain to every reader', () => {
  test('passes as what it is, once: spaces, zeros, case, extensions, trailers', async () => {
    const sound: readonly (readonly [string, string])[] = [
      ['Content-Length: 5 \r\n', 'hello'],
      ['Content-Length:\t5\r\n', 'hello'],
      ['Content-Length: 05\r\n', 'hello'],
      ['Transfer-Encoding: CHUNKED\r\n', '5\r\nhello\r\n0\r\n\r\n'],
      ['Transfer-Encoding:\tchunked \r\n', '5\r\nhello\r\n0\r\n\r\n'],
      ['Transfer-Encoding: chunked\r\n', '5;a=b\r\nhello\r\n0;c\r\n\r\n'],
      ['Transfer-Encoding: chunked\r\n', '00005\r\nhello\r\n00000000\r\n\r\n'],
      ['Transfer-Encoding: chunked\r\n', '5\r\nhello\r\n0\r\nX-User-Id: root\r\nHost: b\r\n\r\n'],
    ]
    for (const [fields, body] of sound) {
      scene.upstream.reset()
      const text = await scene.attack(post(fields, body) + closing)
      expect(statusesIn(text), fields).toEqual([200, 404])
      expect(scene.upstream.requests).toHaveLength(1)
      const [{ body: received, rawHeaders } = { body: undefined, rawHeaders: [] }] =
        scene.upstream.requests
      expect(String(received)).toBe('hello')
      expect(rawHeaders.join('\n')).not.toMatch(/root|^b$/m)
      expect(
        rawHeaders.filter((name) => /^(?:content-length|transfer-encoding)$/i.test(name)),
      ).toHaveLength(1)
    }
  })

  const closing = 'GET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
})

describe('behind an answer that closes its connection nothing is handled', () => {
  test.each([
    ['a refused Host', 'GET /x HTTP/1.1\r\nHost: a b\r\n\r\n'],
    ['a second Host', 'GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
    ['TRACE', 'TRACE /x HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['an unknown expectation', 'GET /x HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n'],
    ['another version', 'GET /x HTTP/2.0\r\nHost: a\r\n\r\n'],
    [
      'an unread body of chunks',
      `POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n11170\r\n${'b'.repeat(70_000)}\r\n0\r\n\r\n`,
    ],
    [
      'an unread long body',
      `POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\n\r\n${'b'.repeat(70_000)}`,
    ],
  ])('%s', async (_name, first) => {
    const together = await scene.attack(first + smuggled() + smuggled())
    expectRefusal(together, first)
    expectRefusal(await scene.attack(first, smuggled()), first)
    expect(scene.upstream.requests).toEqual([])
  })

  test('also where the connection has served its number of requests', async () => {
    const get = `GET /x HTTP/1.1\r\nHost: a\r\n${scene.authorization}\r\n`
    const statuses = statusesIn(await scene.attack(get.repeat(25)))
    expect(statuses).toEqual(Array.from({ length: 20 }, () => 200))
    expect(scene.upstream.requests).toHaveLength(20)
  })

  test('a request with a short body that is refused leaves the next one where it begins', async () => {
    const refused = 'POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nGET /'
    const text = await scene.attack(
      refused + smuggled().replace('\r\n', '\r\nConnection: close\r\n'),
    )
    expect(statusesIn(text)).toEqual([401, 200])
    expect(scene.upstream.requests.map(({ url }) => url)).toEqual(['/things/smuggled'])
  })
})

test('broken bytes behind a refusal are not answered a second time', async () => {
  const refused = 'POST /x HTTP/1.1\r\nHost: a b\r\nTransfer-Encoding: chunked\r\n\r\n'
  expectRefusal(await scene.attack(refused, 'zz\r\n'), refused)
  expectRefusal(await scene.attack(`${refused}zz\r\n`), refused)
})
