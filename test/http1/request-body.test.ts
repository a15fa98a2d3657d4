import { createHash, randomBytes } from 'node:crypto'
import { PassThrough, Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { ChunkedBody } from '../../src/http1/chunked-body.ts'
import type { RequestBody, UpstreamRequest } from '../../src/http1/exchange.ts'
import { call } from './call.ts'
import { answering, at, ok, turn, turnsUntil, type PeerConnection } from './peer.ts'
import { scene } from './scene.ts'

const whole = (bytes: Buffer | string): RequestBody => ({
  kind: 'whole',
  bytes: Buffer.from(bytes),
})

/** Pieces, each given in a turn of its own. */
function stream(pieces: readonly (Buffer | string)[], bytes: number | undefined): RequestBody {
  const all = Readable.from(
    pieces.map((piece) => Buffer.from(piece)),
    { objectMode: false },
  )
  return { kind: 'stream', stream: all, bytes }
}

/** What a peer that answers at the end of a request heard of this one. */
async function sent(request: Partial<UpstreamRequest>, end: string): Promise<string> {
  const { peer, pool } = await scene({ connections: 1 })
  let text = ''
  peer.listener = (connection) => {
    if (!connection.text.endsWith(end)) return
    text = connection.text
    connection.write(ok('hi'))
  }
  expect((await call(pool, request).answer).body).toBe('hi')
  const [connection] = peer.connections
  expect(connection?.text, 'nothing comes behind it').toBe(text)
  return text.replace(`host: ${peer.url.host}\r\n`, '')
}

describe('a request is sent byte for byte', () => {
  const head = (method: string): string => `${method} / HTTP/1.1\r\nconnection: keep-alive\r\n`

  test('its line and its fields as they are given', async () => {
    const fields = ['a', 'b', 'content-length', '99', 'A', '', 'latin', '\xe4\x80']
    const request = { method: 'GET', target: '/%2F/x;y?z=%00&a', fields }
    expect(await sent(request, '\r\n\r\n')).toBe(
      'GET /%2F/x;y?z=%00&a HTTP/1.1\r\nconnection: keep-alive\r\na: b\r\nA: \r\nlatin: \xe4\x80\r\n\r\n',
    )
  })

  test.each(['GET', 'DELETE', 'OPTIONS', 'PURGE'])(
    '%s without a body says nothing of one',
    (method) => expect(sent({ method }, '\r\n\r\n')).resolves.toBe(`${head(method)}\r\n`),
  )

  test.each(['POST', 'PUT', 'PATCH', 'QUERY'])('%s without a body says so', (method) =>
    expect(sent({ method }, '\r\n\r\n')).resolves.toBe(`${head(method)}content-length: 0\r\n\r\n`),
  )

  const odd = Buffer.from('\xff\0\r\n\r\nabc', 'latin1')

  test.each<[string, RequestBody]>([
    ['whole', whole(odd)],
    ['streamed, and its length known', stream([odd.subarray(0, 2), odd.subarray(2)], 9)],
  ])('a body that is %s', async (_name, body) => {
    expect(await sent({ method: 'GET', body }, 'abc')).toBe(
      `${head('GET')}content-length: 9\r\n\r\n${odd.toString('latin1')}`,
    )
  })

  test.each<[string, RequestBody, string]>([
    [
      'of pieces',
      stream(['a', 'bc', 'd'.repeat(17)], undefined),
      `1\r\na\r\n2\r\nbc\r\n11\r\n${'d'.repeat(17)}\r\n`,
    ],
    ['of none', stream([], undefined), ''],
    [
      'of which some are empty',
      {
        kind: 'stream',
        stream: Readable.from(['', 'a', '', 'b', ''].map((each) => Buffer.from(each))),
        bytes: undefined,
      },
      '1\r\na\r\n1\r\nb\r\n',
    ],
  ])('a body in chunks, %s', async (_name, body, chunks) => {
    expect(await sent({ method: 'POST', body }, '0\r\n\r\n')).toBe(
      `${head('POST')}transfer-encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`,
    )
  })

  test('a stream of nothing', async () => {
    const body = stream([], 0)
    expect(await sent({ method: 'POST', body }, '\r\n\r\n')).toBe(
      `${head('POST')}content-length: 0\r\n\r\n`,
    )
    expect(await sent({ method: 'GET', body: stream([], 0) }, '\r\n\r\n')).toBe(
      `${head('GET')}\r\n`,
    )
  })

  const large = randomBytes(3_000_000)
  const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
  const inPieces = (bytes: number | undefined): RequestBody => {
    const cuts = [0, 1, 70_000, 70_001, 1_500_000, large.length]
    return stream(
      cuts.slice(1).map((end, place) => large.subarray(cuts[place], end)),
      bytes,
    )
  }

  test.each<[string, RequestBody]>([
    ['whole', whole(large)],
    ['of a known length', inPieces(large.length)],
    ['in chunks', inPieces(undefined)],
  ])('a large one, %s', async (_name, body) => {
    const { peer, pool } = await scene()
    const pieces: Buffer[] = []
    const chunked = new ChunkedBody((piece) => pieces.push(Buffer.from(piece)))
    let head: string | undefined
    let count = 0
    peer.listener = (connection) => {
      const { text } = connection
      head ??= text.slice(0, text.indexOf('\r\n\r\n') + 4)
      const isInChunks = head.includes('chunked')
      count = text.length - head.length
      if (isInChunks ? !text.endsWith('\r\n0\r\n\r\n') : count < large.length) return
      const bytes = Buffer.from(text.slice(head.length), 'latin1')
      if (isInChunks) expect(chunked.push(bytes)).toBe(bytes.length)
      else pieces.push(bytes)
      connection.write(ok('hi'))
    }
    await call(pool, { method: 'PUT', body }).answer
    expect(digest(Buffer.concat(pieces))).toBe(digest(large))
  })
})

describe('nothing in a request may end its line', () => {
  // The last two are line feeds once their upper bytes are gone, as they are in latin1.
  const breaks = ['\n', '\r', '\r\n', '\u010a', '\u0d0d']

  test.each<[string, (text: string) => Partial<UpstreamRequest>]>([
    ['a value', (text) => ({ fields: ['a', `b${text}c: d`] })],
    ['a name', (text) => ({ fields: [`a${text}b`, 'c'] })],
    ['the target', (text) => ({ target: `/a${text}b` })],
    ['the method', (text) => ({ method: `GET${text}` })],
  ])('%s', async (_name, asking) => {
    const { peer, pool } = await scene({ connections: 1 })
    peer.listener = answering(ok)
    for (const text of breaks) {
      const body = new PassThrough()
      const request = { ...asking(text), body: { kind: 'stream', stream: body, bytes: 1 } as const }
      await expect(call(pool, request).answer, JSON.stringify(text)).rejects.toThrow(TypeError)
      expect(body.destroyed).toBe(true)
    }
    expect((await call(pool, { target: '/next' }).answer).body).toBe('/next')
    const heard = peer.connections.map(({ text }) => text).filter((text) => text !== '')
    expect(heard).toHaveLength(1)
  })
})

/** A request with a body that the test gives, piece for piece, once its head and these have come. */
async function begun(bytes: number | undefined, first: string) {
  const { peer, pool } = await scene({ connections: 1 })
  const body = new PassThrough()
  const request = call(pool, { method: 'POST', body: { kind: 'stream', stream: body, bytes } })
  body.write(first)
  await turnsUntil(() => peer.connections[0]?.text.includes(first) === true)
  return { peer, pool, body, request, connection: at(peer.connections, 0) }
}

/** Hold that a connection is cut, and that the next request is answered on another one. */
async function expectNextOnAnother(
  { peer, pool }: Pick<Awaited<ReturnType<typeof begun>>, 'peer' | 'pool'>,
  connection: PeerConnection,
): Promise<void> {
  await turnsUntil(() => connection.isClosed)
  peer.listener = answering(ok)
  expect((await call(pool, { target: '/next' }).answer).body).toBe('/next')
  expect(peer.connections).toHaveLength(2)
  expect(connection.text).not.toContain('/next')
}

describe('a body that does not come as it was announced is a failure', () => {
  const end = '\r\n0\r\n\r\n'

  test.each<[string, number | undefined, (body: PassThrough) => void, object]>([
    ['that is shorter', 10, (body) => body.end('de'), expect.any(TypeError)],
    ['that is longer', 4, (body) => body.end('defgh'), expect.any(TypeError)],
    ['that fails', 10, (body) => body.destroy(new RangeError('mine')), new RangeError('mine')],
    [
      'in chunks, that fails',
      undefined,
      (body) => body.destroy(new RangeError('mine')),
      new RangeError('mine'),
    ],
    ['that is given up', 10, (body) => body.destroy(), expect.any(Error)],
    ['in chunks, that is given up', undefined, (body) => body.destroy(), expect.any(Error)],
  ])('one %s', async (_name, bytes, spoil, failure) => {
    const all = await begun(bytes, 'abc')
    spoil(all.body)
    await expect(all.request.answer).rejects.toEqual(failure)
    expect(all.body.destroyed).toBe(true)
    await expectNextOnAnother(all, all.connection)
    expect(all.connection.text).not.toContain(end)
    expect(all.connection.text).not.toContain('defgh')
  })

  test('one that was given up before it could leave', async () => {
    const { peer, pool } = await scene({ connections: 1 })
    const first = call(pool)
    const body = new PassThrough()
    const second = call(pool, { body: { kind: 'stream', stream: body, bytes: 1 } })
    const connection = await peer.heard(0)
    body.destroy()
    connection.write(ok('1'))
    await first.answer
    await expect(second.answer).rejects.toThrow('given up')
    await expectNextOnAnother({ peer, pool }, connection)
  })
})

describe('an answer that comes before the end of the body', () => {
  test.each([
    ['of a known length', 10],
    ['in chunks', undefined],
  ])('ends both, and the connection: %s', async (_name, bytes) => {
    const all = await begun(bytes, 'abc')
    all.connection.write(ok('early'))
    expect((await all.request.answer).body).toBe('early')
    expect(all.body.destroyed).toBe(true)
    await expectNextOnAnother(all, all.connection)
    expect(all.connection.text).not.toContain('\r\n0\r\n\r\n')
  })

  test('but its body may come while the other still goes', async () => {
    const { connection, body, request } = await begun(undefined, 'abc')
    connection.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n')
    await turnsUntil(() => request.heard.bytes === 1)
    body.end('def')
    await turnsUntil(() => connection.text.endsWith('3\r\ndef\r\n0\r\n\r\n'))
    connection.write('1\r\nb\r\n0\r\n\r\n')
    expect((await request.answer).body).toBe('ab')
    await turn()
    expect(connection.isClosed).toBe(false)
  })

  test('and nothing of it is sent before its first piece is there', async () => {
    const { peer, pool } = await scene({ connections: 1 })
    const body = new PassThrough()
    const request = call(pool, { method: 'POST', body: { kind: 'stream', stream: body, bytes: 3 } })
    await turnsUntil(() => request.heard.isStarted)
    await turn()
    expect(at(peer.connections, 0).text).toBe('')
    peer.listener = answering('HTTP/1.1 204 x\r\n\r\n')
    body.end('abc')
    expect((await request.answer).status).toBe(204)
  })
})
