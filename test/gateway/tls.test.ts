import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createAuthority } from '../support/certificates.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { rawExchange } from '../support/raw-client.ts'
import { recordingUpstream, type RecordingUpstream } from '../support/recording-upstream.ts'
import { until } from '../support/until.ts'

let folder: string
let authority: Awaited<ReturnType<typeof createAuthority>>
let ca: string
let upstream: RecordingUpstream
let gateway: TestGateway

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-tls-'))
  authority = await createAuthority(folder)
  ca = await readFile(authority.certificate, 'utf8')
  upstream = await recordingUpstream()
  const tls = await authority.sign('gateway')
  gateway = await startGateway({ groups: [things(upstream.url)], configuration: listening(tls) })
})
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
  await rm(folder, { recursive: true, force: true })
})

function things(upstreamUrl: string, upstreamTls?: object) {
  const paths = { '/things/{id}': { get: {} } }
  const more = upstreamTls === undefined ? {} : { upstream: { tls: upstreamTls } }
  return { name: 'things/v1', paths, upstreamUrl, ...more }
}

/** On every address, so that plain HTTP would be refused. */
function listening(tls: object) {
  const open = { host: '0.0.0.0', port: 0, tls }
  return { listen: { public: open, admin: { port: 0 } }, publicOrigin: 'https://localhost' }
}

type Answer = { readonly status: number; readonly headers: Record<string, unknown> }

function call(path: string, options: ConnectionOptions & { port?: number } = {}): Promise<Answer> {
  const headers = { authorization: gateway.key.authorization }
  const whole = { port: gateway.port, path, headers, ca, agent: false, ...options } as const
  return new Promise((resolve, reject) => {
    request(whole, (incoming) => {
      incoming.resume()
      resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers })
    })
      .once('error', reject)
      .end()
  })
}

function handshake(options: ConnectionOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: gateway.port, ca, ...options }, () => {
      resolve(socket)
    }).once('error', reject)
  })
}

test('over TLS requests are served, told upstream as https, and every answer has HSTS', async () => {
  for (const [path, status] of [
    ['/things/1', 200],
    ['/nowhere', 404],
  ] as const) {
    const answer = await call(path)
    expect(answer.status).toBe(status)
    expect(answer.headers['strict-transport-security']).toBe('max-age=31536000')
  }
  expect(upstream.requests[0]?.headers['x-forwarded-proto']).toBe('https')
})

test('so has every answer where a trusted proxy spoke TLS, and none where nobody did', async () => {
  const proxied = await startGateway({
    groups: [things(upstream.url)],
    configuration: {
      publicOrigin: 'https://localhost',
      listen: { public: { host: '0.0.0.0', port: 0 }, admin: { port: 0 } },
      transport: { trustedProxies: ['127.0.0.1'], hstsSeconds: 600 },
    },
  })
  const security = async (path: string, scheme: string): Promise<readonly unknown[]> => {
    const { status, headers } = await fetch(`http://127.0.0.1:${proxied.port}${path}`, {
      headers: { authorization: proxied.key.authorization, 'x-forwarded-proto': scheme },
    })
    return [status, headers.get('strict-transport-security')]
  }
  try {
    expect(await security('/things/1', 'https')).toEqual([200, 'max-age=600'])
    expect(await security('/nowhere', 'https')).toEqual([404, 'max-age=600'])
    expect(await security('/things/1', 'http')).toEqual([403, null])
  } finally {
    await proxied.stop()
  }
})

test('bytes that are no HTTP are answered with HSTS too', async () => {
  const socket = await handshake({})
  socket.write('nonsense\r\n\r\n')
  const text = (await socket.toArray()).join('')
  expect(text).toMatch(/^HTTP\/1\.1 400 /)
  expect(text).toMatch(/\r\nStrict-Transport-Security: max-age=31536000\r\n/i)
})

test('an upstream does not speak for the origin', async () => {
  upstream.behave((_incoming, outgoing) => {
    outgoing.writeHead(200, { 'Strict-Transport-Security': 'max-age=0', 'Set-Cookie': ['a', 'b'] })
    outgoing.end('hello')
  })
  const { headers } = await call('/things/1')
  upstream.behave(undefined)
  expect(headers['strict-transport-security']).toBe('max-age=31536000')
  expect(headers['set-cookie']).toEqual(['a', 'b'])
})

test('TLS 1.1, a cipher without forward secrecy and plain HTTP get nowhere', async () => {
  const old = { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0' } as const
  await expect(handshake(old)).rejects.toThrow()
  const weak = { maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256' } as const
  await expect(handshake(weak)).rejects.toThrow()
  const before = upstream.requests.length
  const plain = `GET /things/1 HTTP/1.1\r\nHost: a\r\nAuthorization: ${gateway.key.authorization}\r\n\r\n`
  await rawExchange(gateway.port, plain).catch(() => undefined)
  expect(upstream.requests).toHaveLength(before)
  expect((await call('/things/1')).status).toBe(200)
})

test('a certificate that is renewed is shown from then on; one without its key is refused', async () => {
  const shown = async (): Promise<string> => {
    const socket = await handshake({})
    const { fingerprint256 } = socket.getPeerCertificate()
    socket.destroy()
    return fingerprint256
  }
  const before = await shown()
  const other = await authority.sign('other')
  await copyFile(other.certificate, join(folder, 'gateway.pem'))
  await until(() => gateway.log.some(({ problem }) => String(problem).includes('gateway.pem')))
  expect(await shown()).toBe(before)
  await copyFile(other.key, join(folder, 'gateway.key'))
  await until(async () => (await shown()) !== before)
  expect((await call('/things/1')).status).toBe(200)
})

test('with a client CA, only who shows a certificate of it is let in', async () => {
  const tls = await authority.sign('strict')
  const strict = await startGateway({
    groups: [things(upstream.url)],
    configuration: listening({ ...tls, clientCa: authority.certificate }),
  })
  try {
    await expect(call('/things/1', { port: strict.port })).rejects.toThrow()
    const { certificate, key } = await authority.sign('client')
    const shown = { cert: await readFile(certificate), key: await readFile(key) }
    // The key is another gateway's, so that what lets in is the certificate, and 401 is the answer.
    expect((await call('/things/1', { port: strict.port, ...shown })).status).toBe(401)
  } finally {
    await strict.stop()
  }
})

test('an upstream with a private CA that asks for our certificate is reached, and else 502', async () => {
  const files = await authority.sign('upstream')
  const service = createServer(
    {
      ...{ cert: await readFile(files.certificate), key: await readFile(files.key), ca },
      ...{ requestCert: true, rejectUnauthorized: true },
    },
    (_incoming, outgoing) => outgoing.end('hello'),
  )
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve))
  const url = `https://127.0.0.1:${(service.address() as AddressInfo).port}`
  const own = await authority.sign('us')
  const mutual = await startGateway({
    groups: [
      things(url, { ca: authority.certificate, ...own }),
      { ...things(url), name: 'unknown/v1', mount: '/unknown' },
    ],
  })
  try {
    const headers = { authorization: mutual.key.authorization }
    const at = `http://127.0.0.1:${mutual.port}`
    expect((await fetch(`${at}/things/1`, { headers })).status).toBe(200)
    expect((await fetch(`${at}/unknown/things/1`, { headers })).status).toBe(502)
  } finally {
    await mutual.stop()
    service.close()
  }
})
