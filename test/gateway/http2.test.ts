import { createHash } from 'node:crypto'
import type { OutgoingHttpHeaders } from 'node:http2'
import { connect } from 'node:tls'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { answerOf, http2Client, type Http2Client } from '../support/http2-client.ts'
import { startTlsGateway, type TlsGateway } from '../support/tls-gateway.ts'
import { until } from '../support/until.ts'

const paths = { '/things/{id}': { get: {}, head: {}, post: {}, put: {} } }

let scene: TlsGateway
let client: Http2Client

beforeAll(async () => {
  scene = await startTlsGateway(paths, { requests: { maxBodyBytes: 100_000_000 } })
})
beforeEach(async () => {
  scene.upstream.reset()
  client = await http2Client(scene.gateway.port, scene.ca)
})
afterEach(() => {
  client.close()
})
afterAll(() => scene.close())

function asking(path: string, more: OutgoingHttpHeaders = {}): OutgoingHttpHeaders {
  return { ':path': path, authorization: scene.gateway.key.authorization, ...more }
}

test('a request over HTTP/2 is authenticated, forwarded over HTTP/1.1 and logged as one', async () => {
  const answer = await client.call(
    asking('/things/1?a=b', { cookie: ['a=1', 'b=2'], te: 'trailers' }),
  )
  expect(answer).toMatchObject({ status: 200, body: '{"message":"hello"}' })
  expect(answer.headers['strict-transport-security']).toBe('max-age=31536000')
  expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
  const [request] = scene.upstream.requests
  expect(request).toMatchObject({ method: 'GET', url: '/things/1?a=b', body: Buffer.alloc(0) })
  expect(request?.headers).toMatchObject({
    'x-forwarded-proto': 'https',
    'x-forwarded-host': `localhost:${scene.gateway.port}`,
    via: '2.0 gatehouse',
    cookie: 'a=1; b=2',
    'gatehouse-principal-id': scene.gateway.userId,
  })
  expect(request?.rawHeaders.filter((name) => name.startsWith(':'))).toEqual([])
  await until(() => scene.gateway.log.some(({ protocol }) => protocol === 'HTTP/2.0'))
  const line = scene.gateway.log.find(({ protocol }) => protocol === 'HTTP/2.0')
  expect(line).toMatchObject({ method: 'GET', path: '/things/1', status: 200, complete: true })
})

test('refusals have the envelope, and the connection goes on', async () => {
  const refused = [
    [{ ':path': '/things/1' }, 401, 'AUTHENTICATION_REQUIRED'],
    [asking('/nowhere'), 404, 'OPERATION_NOT_FOUND'],
    [asking('/things/1', { ':method': 'DELETE' }), 405, 'METHOD_NOT_ALLOWED'],
    [asking('/things/1', { ':method': 'TRACE' }), 501, 'METHOD_NOT_IMPLEMENTED'],
    [asking('/things/../1'), 400, 'TARGET_INVALID'],
    [asking('/things/1', { expect: 'a miracle' }), 417, 'EXPECTATION_FAILED'],
    [asking('/things/1', { cookie: 'a'.repeat(17_000) }), 431, 'HEADERS_TOO_LARGE'],
    [asking('/things/1', { ':authority': 'here', host: 'elsewhere' }), 400, 'HOST_INVALID'],
    [asking('/things/1', { ':scheme': 'http' }), 400, 'REQUEST_MALFORMED'],
  ] as const
  for (const [headers, status, code] of refused) {
    const answer = await client.call(headers)
    expect(answer.status, answer.body).toBe(status)
    expect(answer.headers.connection).toBeUndefined()
    expect(JSON.parse(answer.body)).toMatchObject({ status: String(status), error: { code } })
  }
  expect(scene.upstream.requests).toEqual([])
  expect((await client.call(asking('/things/1'))).status).toBe(200)
})

test('HEAD is answered without a body, and its abandonment reaches the upstream', async () => {
  scene.upstream.behave((_incoming, outgoing) => {
    outgoing.writeHead(200, { 'Content-Length': 1_000 }).end()
  })
  const answer = await client.call(asking('/things/1', { ':method': 'HEAD' }))
  expect(answer).toMatchObject({ status: 200, body: '' })
  expect(answer.headers['content-length']).toBe('1000')
  scene.upstream.behave(() => undefined)
  const stream = client.open(asking('/things/1', { ':method': 'HEAD' }), true)
  stream.on('error', () => undefined)
  await until(() => scene.upstream.inFlight() === 1)
  stream.close(8)
  await until(() => scene.upstream.inFlight() === 0)
})

test('fields that stand twice and trailers pass, and those of HTTP/1.1 do not', async () => {
  scene.upstream.behave((_incoming, outgoing) => {
    outgoing.writeHead(200, [
      ...['Set-Cookie', 'a', 'Set-Cookie', 'b', 'ETag', '"1"', 'ETag', '"2"'],
      ...['Keep-Alive', 'timeout=3', 'HTTP2-Settings', 'x', 'Trailer', 'X-Sum'],
    ])
    outgoing.write('a')
    outgoing.addTrailers({ 'X-Sum': '7' })
    outgoing.end('b')
  })
  const answer = await client.call(asking('/things/1'))
  expect(answer).toMatchObject({ status: 200, body: 'ab', trailers: { 'x-sum': '7' } })
  expect(answer.headers['set-cookie']).toEqual(['a', 'b'])
  expect(answer.headers['keep-alive']).toBeUndefined()
  expect(answer.headers['http2-settings']).toBeUndefined()
})

test('bodies stream both ways, whole, whether their length was said or not', async () => {
  scene.upstream.behave((incoming, outgoing) => {
    outgoing.writeHead(200)
    incoming.pipe(outgoing)
  })
  const body = Buffer.alloc(3_000_000, 'some bytes, many times over; ')
  const digest = (text: string): string => createHash('sha256').update(text).digest('hex')
  for (const more of [{}, { 'content-length': body.length }]) {
    const answer = await client.call(asking('/things/1', { ':method': 'POST', ...more }), body)
    expect(answer.status).toBe(200)
    expect(digest(answer.body)).toBe(digest(body.toString()))
  }
})

test('a reader who stops holds the upstream back, and others on the connection go on', async () => {
  let sent = 0
  scene.upstream.behave(({ url }, outgoing) => {
    if (url !== '/things/slow') {
      outgoing.end('hello')
      return
    }
    const more = (): void => {
      while (sent < 50_000_000) {
        sent += 65_536
        if (!outgoing.write(Buffer.alloc(65_536))) break
      }
    }
    outgoing.on('drain', more)
    more()
  })
  const stream = client.open(asking('/things/slow'), true)
  stream.on('error', () => undefined)
  stream.pause()
  await until(() => sent > 0)
  let before = -1
  await until(() => {
    const isStill = sent === before
    before = sent
    return isStill
  })
  expect(sent).toBeLessThan(20_000_000)
  // The window of the connection is the reader's own to open.
  client.session.setLocalWindowSize(10_000_000)
  expect((await client.call(asking('/things/1'))).body).toBe('hello')
  stream.close(8)
  await until(() => scene.upstream.inFlight() === 0)
})

test('a client that resets its stream aborts the upstream and gives the request up', async () => {
  scene.upstream.behave((incoming, outgoing) => {
    incoming.resume()
    outgoing.write('begun')
  })
  const stream = client.open(asking('/things/1', { ':method': 'POST' }))
  stream.on('error', () => undefined)
  stream.write('some')
  await until(() => scene.upstream.inFlight() === 1)
  stream.close(8)
  await until(() => scene.upstream.inFlight() === 0)
  await until(() => scene.gateway.inFlight() === 0)
  await until(() => scene.gateway.log.at(-1)?.['complete'] === false)
})

test('an answer that an upstream breaks off is reset, never ended as if it were whole', async () => {
  scene.upstream.behave((_incoming, outgoing) => {
    outgoing.writeHead(200)
    outgoing.write('begun', () => outgoing.destroy())
  })
  await expect(client.call(asking('/things/1'))).rejects.toThrow()
  scene.upstream.reset()
  expect((await client.call(asking('/things/1'))).status).toBe(200)
})

test('a body that is too long is refused while it comes, and the stream ends without it', async () => {
  const small = await startTlsGateway(paths, { requests: { maxBodyBytes: 1_000 } })
  const other = await http2Client(small.gateway.port, small.ca)
  try {
    const headers = { ...asking('/things/1'), ':method': 'POST' }
    headers.authorization = small.gateway.key.authorization
    for (const more of [{}, { 'content-length': 5_000_000 }]) {
      const stream = other.open({ ...headers, ...more })
      const answer = answerOf(stream)
      stream.write(Buffer.alloc(60_000))
      expect((await answer).status).toBe(413)
    }
    await until(() => small.gateway.inFlight() === 0)
  } finally {
    other.close()
    await small.close()
  }
})

test('100 Continue is sent when the body is asked for, and not to who is refused', async () => {
  const continued: boolean[] = []
  for (const authorization of [scene.gateway.key.authorization, 'Basic eDp5']) {
    const more = { ':method': 'POST', expect: '100-continue', authorization }
    const stream = client.open(asking('/things/1', more))
    const answer = answerOf(stream)
    let isContinued = false
    stream.once('continue', () => {
      isContinued = true
      stream.end('hello')
    })
    await answer
    continued.push(isContinued)
  }
  expect(continued).toEqual([true, false])
  expect(scene.upstream.requests.map(({ body }) => String(body))).toEqual(['hello'])
})

test('callers that do not offer HTTP/2 go on with HTTP/1.1, and all do where it is switched off', async () => {
  const agreed = (
    port: number,
    ALPNProtocols: string[] = [],
    ca = scene.ca,
  ): Promise<string | false | null> =>
    new Promise((resolve, reject) => {
      const socket = connect({ port, ca, host: 'localhost', ALPNProtocols }, () => {
        resolve(socket.alpnProtocol)
        socket.destroy()
      }).once('error', reject)
    })
  const { port } = scene.gateway
  expect(await agreed(port, ['h2', 'http/1.1'])).toBe('h2')
  expect(await agreed(port, ['http/1.1'])).toBe('http/1.1')
  expect(await agreed(port)).toBe(false)
  await expect(agreed(port, ['spdy/3'])).rejects.toThrow()
  const without = await startTlsGateway(paths, { tls: { http2: false } })
  try {
    expect(await agreed(without.gateway.port, ['h2', 'http/1.1'], without.ca)).toBe('http/1.1')
  } finally {
    await without.close()
  }
})

test('a connection is closed after its last request, with notice, and no request is lost', async () => {
  const few = await startTlsGateway(paths, { requests: { maxRequestsPerConnection: 3 } })
  const other = await http2Client(few.gateway.port, few.ca)
  try {
    const headers = asking('/things/1', { authorization: few.gateway.key.authorization })
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => other.call(headers)))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
    await until(() => other.session.closed)
  } finally {
    other.close()
    await few.close()
  }
})

test('a drain tells connections, answers what is under way and closes', async () => {
  const draining = await startTlsGateway(paths)
  const other = await http2Client(draining.gateway.port, draining.ca)
  const headers = asking('/things/1', { authorization: draining.gateway.key.authorization })
  draining.upstream.behave((_incoming, outgoing) => {
    outgoing.write('begun, ')
    void until(() => other.session.closed).then(() => outgoing.end('ended'))
  })
  const answer = other.call(headers)
  await until(() => draining.upstream.inFlight() === 1)
  const stopped = draining.close()
  expect(await answer).toMatchObject({ status: 200, body: 'begun, ended' })
  await stopped
})
