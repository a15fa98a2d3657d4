import { createHash } from 'node:crypto'
import { request, type IncomingMessage } from 'node:http'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { rawClient, rawExchange } from '../support/raw-client.ts'
import { recordingUpstream, type RecordingUpstream } from '../support/recording-upstream.ts'
import { until } from '../support/until.ts'

const megabyte = 1_048_576

let upstream: RecordingUpstream
let gateway: TestGateway

beforeAll(async () => {
  upstream = await recordingUpstream()
  gateway = await startGateway({
    groups: [
      { name: 'any/v1', paths: anyPath, upstreamUrl: upstream.url },
      { name: 'rest/v1', paths: kafkaPath, upstreamUrl: upstream.url, errorProfile: 'kafka-rest' },
      { name: 'moved/v1', mount: '/moved', paths: anyPath, upstreamUrl: `${upstream.url}/base` },
    ],
    limits: { user: { requests: 100_000, windowSeconds: 60, concurrent: 3 } },
  })
})
afterEach(() => {
  upstream.reset()
})
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
})

const methods = ['get', 'put', 'post', 'delete', 'patch', 'options']
const anyPath = {
  '/any/{name}': Object.fromEntries(methods.map((method) => [method, {}])),
}
const kafkaPath = { '/rest/{name}': { get: {} } }

function head(line: string, ...fields: string[]): string {
  const all = [`Host: api.test`, `Authorization: ${gateway.key.authorization}`, ...fields]
  return `${line} HTTP/1.1\r\n${all.join('\r\n')}\r\n\r\n`
}

function call(
  path: string,
  options: { readonly method?: string } = {},
): ReturnType<typeof request> {
  return request({
    host: '127.0.0.1',
    port: gateway.port,
    path,
    agent: false,
    ...options,
    headers: { authorization: gateway.key.authorization },
  })
}

function responseTo(outgoing: ReturnType<typeof request>): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.once('response', resolve)
    outgoing.once('error', reject)
  })
}

describe('the request that reaches the upstream', () => {
  test('has the canonical path, the query untouched, and the mount removed', async () => {
    await rawExchange(gateway.port, head('GET /any/a%2fb%7E?x=%2f&y[]=1'))
    await rawExchange(gateway.port, head('GET /moved/any/z?q'))
    expect(upstream.requests.map(({ url }) => url)).toEqual([
      '/any/a%2Fb~?x=%2f&y[]=1',
      '/base/any/z?q',
    ])
  })

  test('names the principal, the organization and the request, and not the secret', async () => {
    const response = await rawExchange(gateway.port, head('GET /any/x'))
    expect(upstream.requests[0]?.headers).toMatchObject({
      'gatehouse-principal-id': gateway.userId,
      'gatehouse-principal-kind': 'user',
      'gatehouse-organization-id': gateway.organizationId,
      'gatehouse-credential-kind': 'cloud-api-key',
      'gatehouse-request-id': response.field('X-Request-Id'),
      'x-request-id': response.field('X-Request-Id'),
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-host': 'api.test',
      'x-forwarded-proto': 'http',
      forwarded: 'for=127.0.0.1;host="api.test";proto=http',
      via: '1.1 gatehouse',
    })
    expect(upstream.requests[0]?.headers.authorization).toBeUndefined()
  })

  test('keeps the caller’s other fields, in order and multiplicity', async () => {
    await rawExchange(gateway.port, head('GET /any/x', 'X-A: 1', 'Cookie: a', 'x-a: 2', 'X-B: é'))
    const received = upstream.requests[0]?.rawHeaders ?? []
    const own = received.filter((_, index) =>
      /^(?:x-[ab]|cookie)$/i.test(received[index & ~1] ?? ''),
    )
    expect(own).toEqual(['x-a', '1', 'cookie', 'a', 'x-a', '2', 'x-b', 'Ã©'])
  })

  test.each([
    'Gatehouse-Principal-Id: u-evil',
    'gatehouse_principal_id: u-evil',
    'Gatehouse-Assertion: evil',
    'X-Forwarded-For: 9.9.9.9',
    'X-Forwarded-Prefix: /evil',
    'X_Forwarded_For: 9.9.9.9',
    'Forwarded: for=9.9.9.9',
    'X-Request-Id: evil',
    'X-User-Id: evil',
    'X_User_Id: evil',
    'X-Org-Id: evil',
    'X-Original-URL: /evil',
    'X-Rewrite-URL: /evil',
    'X-HTTP-Method-Override: DELETE',
    'X-Real-IP: 9.9.9.9',
    'Transfer_Encoding: chunked',
    'Proxy-Authorization: Basic evil',
    'Keep-Alive: evil',
    'Trailer: evil',
  ])('never carries the caller’s %s', async (field) => {
    await rawExchange(gateway.port, head('GET /any/x', field))
    const received = upstream.requests[0]?.rawHeaders.join('\n')
    expect(received).toContain(gateway.userId)
    expect(received).not.toMatch(/evil|9\.9\.9\.9|DELETE|chunked/)
  })

  test('loses the fields that Connection names, but never ours', async () => {
    const options = 'close, X-Mine, Gatehouse-Principal-Id, X-Forwarded-For, Authorization, Via'
    await rawExchange(gateway.port, head('GET /any/x', `Connection: ${options}`, 'X-Mine: 1'))
    expect(upstream.requests[0]?.headers).toMatchObject({
      'gatehouse-principal-id': gateway.userId,
      'x-forwarded-for': '127.0.0.1',
      via: '1.1 gatehouse',
    })
    expect(upstream.requests[0]?.headers['x-mine']).toBeUndefined()
  })

  test.each(['PUT', 'POST', 'PATCH', 'DELETE'])(
    '%s carries its body, sized or chunked',
    async (method) => {
      await rawExchange(gateway.port, `${head(`${method} /any/x`, 'Content-Length: 5')}hello`)
      const chunked = head(`${method} /any/x`, 'Transfer-Encoding: chunked')
      await rawExchange(gateway.port, `${chunked}3\r\nhel\r\n2;ext=1\r\nlo\r\n0\r\nX-T: 1\r\n\r\n`)
      await until(() => upstream.requests.every(({ body }) => body !== undefined))
      expect(upstream.requests.map(({ body }) => body?.toString())).toEqual(['hello', 'hello'])
    },
  )
})

describe('the response that reaches the client', () => {
  test('keeps the upstream’s fields, in order, spelling and multiplicity', async () => {
    upstream.behave((_, outgoing) => {
      outgoing.writeHead(201, 'Made', [
        'Set-Cookie',
        'a=1',
        'X-One',
        '1',
        'set-cookie',
        'b=2',
        'Location',
        '/any/y',
        'Server',
        'secret/1.0',
        'X-Powered-By',
        'secret',
        'Gatehouse-Principal-Id',
        'secret',
        'Connection',
        'keep-alive, X-Hop',
        'X-Hop',
        'secret',
        'Content-Length',
        '2',
      ])
      outgoing.end('ok')
    })
    const response = await rawExchange(gateway.port, head('POST /any/x'))
    expect(response.status).toBe(201)
    expect(response.body).toBe('ok')
    expect(response.fields.slice(0, 4)).toEqual([
      ['Set-Cookie', 'a=1'],
      ['X-One', '1'],
      ['set-cookie', 'b=2'],
      ['Location', '/any/y'],
    ])
    expect(JSON.stringify(response.fields)).not.toContain('secret')
  })

  test('carries the limit that binds next, ours and not the upstream’s', async () => {
    upstream.behave((_, outgoing) => {
      outgoing.writeHead(200, { 'X-RateLimit-Limit': 7, 'X-RateLimit-Remaining': 7 })
      outgoing.end()
    })
    const response = await rawExchange(gateway.port, head('GET /any/x'))
    const limits = response.fields.filter(([name]) => name.startsWith('X-RateLimit-'))
    expect(limits.map(([name]) => name)).toEqual([
      'X-RateLimit-Limit',
      'X-RateLimit-Remaining',
      'X-RateLimit-Reset',
    ])
    expect(response.field('X-RateLimit-Limit')).toBe('100000')
  })

  test.each([
    ['Cache-Control', 'public, max-age=60, s-maxage=600', 'private, max-age=60'],
    ['Cache-Control', 'max-age=60, Must-Revalidate', 'private, max-age=60, Must-Revalidate'],
    ['CDN-Cache-Control', 'public, max-age=60', 'private, max-age=60'],
    ['Cache-Control', 'max-age=60', 'max-age=60'],
  ])(
    'may not be kept by a shared cache, since credentials were sent: %s: %s',
    async (...fields) => {
      const [name, sent, received] = fields
      upstream.behave((_, outgoing) => {
        outgoing.writeHead(200, { [name]: sent })
        outgoing.end()
      })
      const response = await rawExchange(gateway.port, head('GET /any/x'))
      expect(response.field(name)).toBe(received)
    },
  )

  test('to HEAD has the upstream’s head and no body, and the connection goes on', async () => {
    const client = await rawClient(gateway.port)
    client.send(head('HEAD /any/x'))
    const first = await client.response({ head: true })
    client.send(head('GET /any/x'))
    const second = await client.response()
    client.close()
    expect([first.status, first.field('Content-Length')]).toEqual([200, '19'])
    expect(second.body).toBe('{"message":"hello"}')
    expect(upstream.requests.map(({ method }) => method)).toEqual(['HEAD', 'GET'])
  })

  test.each([204, 304])('of status %i has no body, and the connection goes on', async (status) => {
    upstream.behave((_, outgoing) => {
      outgoing.writeHead(status, { ETag: '"1"' })
      outgoing.end()
    })
    const client = await rawClient(gateway.port)
    for (let round = 0; round < 2; round += 1) {
      client.send(head('GET /any/x'))
      const response = await client.response()
      expect([response.status, response.field('ETag'), response.body]).toEqual([status, '"1"', ''])
    }
    client.close()
  })

  test('announces no trailers where none can follow, and keeps bytes in a name, whoever reads the request', async () => {
    upstream.behave((_incoming, outgoing) => {
      outgoing.socket?.end(
        Buffer.from(
          'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTrailer: X-T\r\n' +
            'Content-Disposition: attachment; filename="na\xefve \xc3\xa9"\r\n\r\nabc',
          'latin1',
        ),
      )
    })
    for (const field of ['Accept: */*', 'Connection: close']) {
      const answer = await rawExchange(gateway.port, head('GET /any/x', field))
      expect(answer.status).toBe(200)
      expect(answer.field('Trailer')).toBeUndefined()
      expect(answer.field('Content-Disposition')).toBe('attachment; filename="na\xefve \xc3\xa9"')
      expect(answer.body).toBe('abc')
    }
    upstream.behave((_incoming, outgoing) => {
      outgoing.socket?.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n')
    })
    for (const field of ['Accept: */*', 'Connection: close']) {
      const client = await rawClient(gateway.port)
      client.send(head('HEAD /any/x', field))
      const { status, fields } = await client.response({ head: true })
      expect(status).toBe(200)
      expect(fields.map(([name]) => name)).not.toContain('Trailer')
      client.close()
    }
  })

  test('that breaks off while those before it are awaited cuts the connection, once these are answered', async () => {
    const held: (() => void)[] = []
    upstream.behave((incoming, outgoing) => {
      if (incoming.url === '/any/held') held.push(() => outgoing.end('held'))
      else {
        outgoing.writeHead(200, { 'Content-Length': 10 })
        outgoing.write('abc', () => outgoing.destroy())
      }
    })
    const client = await rawClient(gateway.port)
    client.send(head('GET /any/held') + head('GET /any/cut') + head('GET /any/held'))
    await until(() => held.length === 2 && gateway.inFlight() === 2)
    held[0]?.()
    expect((await client.response()).body).toBe('held')
    await client.ended()
    await until(() => gateway.inFlight() === 0)
  })

  test('passes trailers on', async () => {
    upstream.behave((_, outgoing) => {
      outgoing.writeHead(200, { Trailer: 'X-Checksum' })
      outgoing.write('a')
      outgoing.addTrailers({ 'X-Checksum': 'c' })
      outgoing.end()
    })
    const client = await rawClient(gateway.port)
    client.send(head('GET /any/x', 'TE: trailers', 'Connection: close, TE'))
    expect(await client.ended()).toMatch(/0\r\nX-Checksum: c\r\n\r\n$/)
    expect(upstream.requests[0]?.headers['te']).toBe('trailers')
  })

  test('is the final one, however many interim ones come first', async () => {
    upstream.behave((_, outgoing) => {
      outgoing.writeEarlyHints({ link: '</a.css>; rel=preload' })
      outgoing.writeProcessing()
      outgoing.end('final')
    })
    const response = await rawExchange(gateway.port, head('GET /any/x'))
    expect([response.status, response.body]).toEqual([200, 'final'])
  })

  test('starts before its body does', async () => {
    let finish: () => void = () => undefined
    upstream.behave((_, outgoing) => {
      outgoing.flushHeaders()
      finish = () => outgoing.end('late')
    })
    const response = await responseTo(call('/any/x').end())
    expect(response.statusCode).toBe(200)
    finish()
    expect(await textOf(response)).toBe('late')
  })

  test('is cut, not completed, when the upstream breaks off', async () => {
    upstream.behave((_, outgoing) => {
      outgoing.writeHead(200, { 'Content-Length': 100 })
      outgoing.write('partial')
      setImmediate(() => outgoing.destroy())
    })
    const response = await responseTo(call('/any/x').end())
    await expect(textOf(response)).rejects.toThrow('aborted')
  })
})

describe('streams', () => {
  test('100 MB down arrive byte for byte, with bounded memory', async () => {
    upstream.behave((_, outgoing) => {
      sendMegabytes(outgoing, 100)
    })
    const before = process.memoryUsage().rss
    const response = await responseTo(call('/any/x').end())
    const { digest, bytes, peakRss } = await digestOf(response)
    expect([bytes, digest]).toEqual([100 * megabyte, digestOfMegabytes(100)])
    // Client, gateway and upstream share this process; a body held whole would add 100 MB at least.
    expect(peakRss - before).toBeLessThan(300 * megabyte)
  })

  test('100 MB up arrive byte for byte', async () => {
    upstream.behave((incoming, outgoing) => {
      void digestOf(incoming).then(({ digest, bytes }) => outgoing.end(`${bytes} ${digest}`))
    })
    const outgoing = call('/any/x', { method: 'PUT' })
    sendMegabytes(outgoing, 100)
    const response = await responseTo(outgoing)
    expect(await textOf(response)).toBe(`${100 * megabyte} ${digestOfMegabytes(100)}`)
  })

  test('a slow reader holds the upstream back', async () => {
    let sent = 0
    upstream.behave((_, outgoing) => {
      const push = (): void => {
        while (sent < 400 && outgoing.write(Buffer.alloc(megabyte / 4))) sent += 1
        if (sent < 400) {
          sent += 1
          outgoing.once('drain', push)
        } else outgoing.end()
      }
      push()
    })
    const response = await responseTo(call('/any/x').end())
    response.pause()
    await until(() => sent > 0)
    const settled = await stable(() => sent)
    expect(settled).toBeLessThan(200)
    response.resume()
    const { bytes } = await digestOf(response)
    expect(bytes).toBeGreaterThanOrEqual(100 * megabyte)
  })

  test('an answer that starts before the request ends works both ways at once', async () => {
    upstream.behave((incoming, outgoing) => {
      outgoing.flushHeaders()
      incoming.pipe(outgoing)
    })
    const outgoing = call('/any/x', { method: 'POST' })
    outgoing.write('one')
    const response = await responseTo(outgoing)
    const pieces = response[Symbol.asyncIterator]() as AsyncIterator<Buffer>
    const heard: string[] = []
    for (const next of ['two', 'three', undefined]) {
      heard.push(String((await pieces.next()).value))
      if (next === undefined) outgoing.end()
      else outgoing.write(next)
    }
    expect(heard).toEqual(['one', 'two', 'three'])
    expect((await pieces.next()).done).toBe(true)
  })

  test.each([413, 200])(
    'an early %i is passed on while the body is still coming',
    async (status) => {
      upstream.behave((_, outgoing) => {
        outgoing.writeHead(status)
        outgoing.end('{}')
      })
      const outgoing = call('/any/x', { method: 'POST' })
      outgoing.on('error', () => undefined)
      sendMegabytes(outgoing, 20)
      const response = await responseTo(outgoing)
      expect(response.statusCode).toBe(status)
      response.destroy()
      outgoing.destroy()
    },
  )
})

describe('a client that goes away', () => {
  test('while it waits, is noticed by the upstream, and its slot is free again', async () => {
    upstream.behave(() => undefined)
    for (let round = 0; round < 10; round += 1) {
      const outgoing = call('/any/x').end()
      outgoing.on('error', () => undefined)
      await until(() => upstream.inFlight() === 1)
      outgoing.destroy()
      await until(() => upstream.inFlight() === 0)
    }
    upstream.behave(undefined)
    expect((await rawExchange(gateway.port, head('GET /any/x'))).status).toBe(200)
    await until(() => gateway.inFlight() === 0)
  })

  test('in the middle of its body, leaves no completed request at the upstream', async () => {
    upstream.behave(() => undefined)
    const client = await rawClient(gateway.port)
    client.send(`${head('POST /any/x', 'Content-Length: 10')}hello`)
    await until(() => upstream.requests.length === 1)
    client.close()
    await until(() => upstream.requests[0]?.aborted === true)
    expect(upstream.requests[0]?.body).toBeUndefined()
  })

  test('in the middle of the response, stops it', async () => {
    upstream.behave((_, outgoing) => {
      sendMegabytes(outgoing, 1_000)
    })
    const response = await responseTo(call('/any/x').end())
    response.once('data', () => response.destroy())
    await until(() => upstream.inFlight() === 0)
    await until(() => gateway.inFlight() === 0)
  })
})

describe('an upstream’s error', () => {
  test('in the group’s own shape passes, with the request id added', async () => {
    const body =
      '{"error":{"code":"NAME_TAKEN","message":"The name is taken"},"n":9223372036854775807}'
    upstream.behave((_, outgoing) => {
      outgoing.writeHead(409, {
        ...{ 'Content-Type': 'application/json', Location: '/any/other', ETag: '"a"' },
        ...{ Digest: 'sha-256=x', 'Content-Digest': 'sha-256=:x:', 'Repr-Digest': 'sha-256=:x:' },
      })
      outgoing.end(body)
    })
    const response = await rawExchange(gateway.port, head('POST /any/x'))
    const requestId = response.field('X-Request-Id') ?? ''
    expect(response.status).toBe(409)
    expect(response.field('Location')).toBe('/any/other')
    // The body is not the one that these are about.
    for (const name of ['ETag', 'Digest', 'Content-Digest', 'Repr-Digest'])
      expect(response.field(name), name).toBeUndefined()
    expect(response.body).toBe(`{"requestId":"${requestId}",${body.slice(1)}`)
  })

  test('passes also when it is compressed', async () => {
    upstream.behave((_, outgoing) => {
      outgoing.writeHead(404, { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' })
      outgoing.end(gzipSync('{"error_code":40403,"message":"This topic does not exist."}'))
    })
    const response = await rawExchange(gateway.port, head('GET /rest/x'))
    expect(response.field('Content-Encoding')).toBeUndefined()
    expect(response.json()).toMatchObject({
      error_code: 40403,
      requestId: expect.any(String) as string,
    })
  })

  test.each([
    ['text/html', '<h1>nginx on db-7.internal</h1>'],
    ['application/json', '{"stack":"at db-7.internal:5432"}'],
    ['application/json', '{"message":"db-7.internal'],
    [
      'application/json',
      JSON.stringify({ error: { code: 7, message: 'db-7.internal'.repeat(10_000) } }),
    ],
  ])('in any other shape (%s) is answered by its status alone', async (type, body) => {
    upstream.behave((_, outgoing) => {
      outgoing.writeHead(500, { 'Content-Type': type })
      outgoing.end(body)
    })
    const response = await rawExchange(gateway.port, head('GET /any/x'))
    expect(response.status).toBe(500)
    expect(response.json()).toMatchObject({ error: { code: 'UPSTREAM_FAILED' } })
    expect(response.body).not.toContain('internal')
  })

  test('that is a decompression bomb is answered by its status alone', async () => {
    upstream.behave((_, outgoing) => {
      outgoing.writeHead(500, { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' })
      outgoing.end(gzipSync(Buffer.alloc(20 * megabyte, 'a')))
    })
    const response = await rawExchange(gateway.port, head('GET /any/x'))
    expect(response.json()).toMatchObject({ error: { code: 'UPSTREAM_FAILED' } })
  })

  test('a 429 on the Kafka REST profile carries no limit fields', async () => {
    upstream.behave((_, outgoing) => {
      outgoing.writeHead(429, { 'Content-Type': 'text/html', 'Retry-After': 5 })
      outgoing.end('<h1>429</h1>')
    })
    const response = await rawExchange(gateway.port, head('GET /rest/x'))
    expect(response.json()).toMatchObject({ error_code: 429 })
    expect(response.fields.map(([name]) => name).join()).not.toMatch(/ratelimit|retry-after/i)
  })
})

describe('a second try', () => {
  test('is made for a GET whose connection the upstream had closed', async () => {
    let calls = 0
    upstream.behave((incoming, outgoing) => {
      calls += 1
      if (calls === 1) incoming.socket.destroy()
      else outgoing.end('second')
    })
    const response = await rawExchange(gateway.port, head('GET /any/x'))
    expect([response.status, response.body]).toEqual([200, 'second'])
  })

  test('is never made for a request that may have had an effect', async () => {
    upstream.behave((incoming) => {
      incoming.socket.destroy()
    })
    await rawExchange(gateway.port, `${head('POST /any/x', 'Content-Length: 2')}ab`)
    await rawExchange(gateway.port, head('POST /any/x'))
    await rawExchange(gateway.port, `${head('PUT /any/x', 'Content-Length: 2')}ab`)
    expect(upstream.requests.length).toBe(3)
  })
})

describe('Expect: 100-continue', () => {
  test('is answered only once the upstream takes the body', async () => {
    const client = await rawClient(gateway.port)
    client.send(head('POST /any/x', 'Expect: 100-continue', 'Content-Length: 2'))
    expect((await client.response()).status).toBe(100)
    client.send('ab')
    expect((await client.response()).status).toBe(200)
    client.close()
    expect(upstream.requests[0]?.headers.expect).toBeUndefined()
    expect(upstream.requests[0]?.body?.toString()).toBe('ab')
  })

  test('is not answered to a caller who is refused', async () => {
    const response = await rawExchange(
      gateway.port,
      'POST /any/x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n',
    )
    expect(response.status).toBe(401)
    expect(response.field('Connection')).toBe('close')
  })
})

function sendMegabytes(to: NodeJS.WritableStream, count: number): void {
  let sent = 0
  const push = (): void => {
    while (sent < count) {
      sent += 1
      if (!to.write(Buffer.alloc(megabyte, sent))) {
        to.once('drain', push)
        return
      }
    }
    to.end()
  }
  push()
}

function digestOfMegabytes(count: number): string {
  const hash = createHash('sha256')
  for (let piece = 1; piece <= count; piece += 1) hash.update(Buffer.alloc(megabyte, piece))
  return hash.digest('hex')
}

async function digestOf(stream: AsyncIterable<Buffer>) {
  const hash = createHash('sha256')
  let bytes = 0
  let peakRss = 0
  for await (const chunk of stream) {
    hash.update(chunk)
    bytes += chunk.length
    peakRss = Math.max(peakRss, process.memoryUsage.rss())
  }
  return { digest: hash.digest('hex'), bytes, peakRss }
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  let text = ''
  for await (const chunk of stream) text += chunk.toString()
  return text
}

/** The value once it has stopped changing. */
async function stable(look: () => number): Promise<number> {
  for (;;) {
    const seen = look()
    await new Promise((resolve) => setTimeout(resolve, 100))
    if (look() === seen) return seen
  }
}
