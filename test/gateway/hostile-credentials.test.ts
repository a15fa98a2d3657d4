import { createHmac, createPublicKey } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encode, makeKey, mint } from '../auth/tokens/minting.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { rawExchange, type RawResponse } from '../support/raw-client.ts'
import { recordingUpstream, type RecordingUpstream } from '../support/recording-upstream.ts'

const actor = { id: 'test' }
const rsa = makeKey('RS256', 'k1')
const ec = makeKey('ES256', 'k2')
const stranger = makeKey('ES256', 'k2')

/** What a key set may hold beside good keys; none of these may ever verify. */
const oct = { kty: 'oct', kid: 'oct', k: Buffer.alloc(32).toString('base64url'), alg: 'HS256' }
const exponentOne = { ...rsa.jwk, kid: 'e1', e: 'AQ' }

let trapUrl: string
let connects = 0
let upstream: RecordingUpstream
let gateway: TestGateway
let issuer: string
const closing: (() => void)[] = []

beforeAll(async () => {
  trapUrl = await listening(() => undefined, true)
  const keys = [rsa.jwk, ec.jwk, oct, exponentOne]
  issuer = await listening(() => JSON.stringify({ keys }), false)
  upstream = await recordingUpstream()
  const paths = {
    '/keys': { get: {} },
    '/tokens': { get: { security: [{ 'external-access-token': [] }] } },
  }
  gateway = await startGateway({
    groups: [{ name: 'all/v1', paths, upstreamUrl: upstream.url }],
    services: ['sts', 'oauth'],
    configuration: {
      publicOrigin: 'https://api.test',
      tokens: { identityProviders: { allowAddresses: ['127.0.0.1'], allowHttp: true } },
      limits: {
        unauthenticated: { requests: 10_000, windowSeconds: 3_600 },
        classes: { standard: {} },
      },
    },
  })
  const { directory, organizationId } = gateway
  const provider = { organizationId, displayName: 'idp', issuer, jwksUri: `${issuer}/keys` }
  const { id: providerId } = await directory.identityProviders.create(provider, actor)
  const pool = { providerId, displayName: 'p', identityClaim: 'claims.sub', filter: 'true' }
  await directory.identityPools.create(pool, actor)
})
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
  for (const close of closing) close()
})

async function listening(answer: () => string | undefined, isTrap: boolean): Promise<string> {
  const server = createServer((_request, response) => response.end(answer()))
  if (isTrap) server.on('connection', () => (connects += 1))
  closing.push(() => {
    server.close()
    server.closeAllConnections()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function get(path: string, authorization: string): Promise<RawResponse> {
  const head = `GET ${path} HTTP/1.1\r\nHost: api.test\r\nAuthorization: ${authorization}\r\n\r\n`
  return rawExchange(gateway.port, head)
}

function token(changes: { header?: object; claims?: object } = {}, key = ec): string {
  const iat = Math.floor(Date.now() / 1_000)
  const claims = { iss: issuer, iat, exp: iat + 60, ...changes.claims }
  return mint(key, { ...changes, claims })
}

function withHmac(header: object, secret: string | Buffer): string {
  const [, body = ''] = token().split('.')
  const input = `${encode(header)}.${body}`
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}

describe('a hostile token', () => {
  const publicPem = createPublicKey(rsa.privateKey).export({ type: 'spki', format: 'pem' })

  test('opens nothing, whatever it is, and nobody is asked whom it names', async () => {
    expect((await get('/tokens', `Bearer ${token()}`)).status).toBe(200)
    expect((await get('/tokens', `Bearer ${token({}, rsa)}`)).status).toBe(200)
    const forwarded = upstream.requests.length
    const [head = '', body = '', seal = ''] = token().split('.')
    const hostile: readonly string[] = [
      token({ header: { jku: `${trapUrl}/jwks` } }, stranger),
      token({ header: { jku: `${trapUrl}/jwks` } }),
      token({ header: { x5u: `${trapUrl}/cert` } }),
      token({ header: { jwk: stranger.jwk } }, stranger),
      token({ header: { x5c: ['MIIB'] } }),
      token({ header: { kid: `${trapUrl}/key` } }),
      token({ header: { kid: '../../../../dev/null' } }),
      token({ header: { kid: "k2' OR '1'='1" } }),
      token({ claims: { iss: trapUrl } }),
      token({ claims: { iss: `${issuer}/` } }),
      token({ claims: { iss: [issuer] } }),
      token({ header: { crit: ['exp'] } }),
      token({ header: { crit: ['b64'], b64: false } }),
      token({ header: { zip: 'DEF' } }),
      token({ header: { cty: 'JWT' } }),
      mint(ec, { claims: { iss: issuer, exp: 1e300 } }),
      token({ claims: { exp: undefined } }),
      token({ claims: { padding: 'x'.repeat(7_000) } }),
      `${encode({ alg: 'none', kid: 'k2' })}.${body}.`,
      `${encode({ alg: 'nOnE', kid: 'k2' })}.${body}.${seal}`,
      withHmac({ alg: 'HS256', kid: 'k1' }, publicPem),
      withHmac({ alg: 'HS256', kid: 'oct' }, Buffer.alloc(32)),
      token({ header: { kid: 'e1' } }, rsa),
      token({}, stranger),
      `${head}.${body}.${'A'.repeat(86)}`,
      `${head}.${body}`,
      `${head}.${body}.${seal}.${seal}.${seal}`,
      `${head}..${body}..${seal}`,
      `${head}.${body}.${seal}=`,
      // A token within a token is not looked into.
      token({}, stranger).replace(/^[^.]+/, encode(token())),
      encode(token()),
      JSON.stringify({ protected: head, payload: body, signature: seal }).replaceAll(' ', ''),
    ]
    for (const one of hostile) {
      const { status } = await get('/tokens', `Bearer ${one}`)
      expect([400, 401], one.slice(0, 200)).toContain(status)
    }
    expect(upstream.requests).toHaveLength(forwarded)
    expect(connects).toBe(0)
    expect(Object.keys(Object.prototype)).toEqual([])
    expect((await get('/tokens', `Bearer ${token()}`)).status).toBe(200)
  })

  test('that is larger than a head may be is refused as such', async () => {
    expect((await get('/tokens', `Bearer ${'a'.repeat(20_000)}`)).status).toBe(431)
  })
})

describe('a hostile key', () => {
  const base64 = (text: string | Buffer): string => Buffer.from(text).toString('base64')

  test('opens nothing and breaks nothing, however it is spelled', async () => {
    const { id, secret, authorization } = gateway.key
    const right = authorization.slice('Basic '.length)
    const forwarded = upstream.requests.length
    const hostile: readonly string[] = [
      'Basic',
      'Basic ',
      `Basic  ${right}`,
      `Basic\t${right}`,
      `Basic ${right} x`,
      `Basic ${right}, Basic ${right}`,
      `Basic ${right}====`,
      `Basic ${right.slice(0, -1)}`,
      `Basic ${right.slice(0, 8)}!${right.slice(8)}`,
      `Basic ${base64(id)}`,
      `Basic ${base64(`:${secret}`)}`,
      `Basic ${base64(`${id}:`)}`,
      `Basic ${base64(`${id} :${secret}`)}`,
      `Basic ${base64(`${id.toLowerCase()}:${secret}`)}`,
      `Basic ${base64(`${id}:${secret}\n`)}`,
      `Basic ${base64(`${id}\0:${secret}`)}`,
      `Basic ${base64(`${id}:${secret}\0`)}`,
      `Basic ${base64(`${id}:${encodeURIComponent(secret)}%20`)}`,
      `Basic ${base64(Buffer.from([0xff, 0xfe, 0x3a, 0xff]))}`,
      `Basic ${base64(`' OR 1=1 --:${secret}`)}`,
      `Basic ${base64(`__proto__:${secret}`)}`,
      `Basic ${base64(`${'k'.repeat(1_400)}:s`)}`,
      `Basic ${base64(`${'k'.repeat(2_000)}:s`)}`,
      `Bearer ${right}`,
      `Digest username="${id}", response="${secret}"`,
      'Negotiate YII=',
      right,
    ]
    for (const one of hostile) {
      const { status } = await get('/keys', one)
      expect([400, 401], one.slice(0, 200)).toContain(status)
    }
    expect(upstream.requests).toHaveLength(forwarded)
    expect((await get('/keys', authorization)).status).toBe(200)
    expect((await get('/keys', `bAsIc ${right}`)).status).toBe(200)
  })
})

describe('the token endpoints', () => {
  test.each(['/sts/v1/oauth2/token', '/oauth2/token', '/oauth2/revoke', '/oauth2/introspect'])(
    '%s takes forms that are posted, and answers nothing that may be kept',
    async (path) => {
      const url = `http://127.0.0.1:${gateway.port}${path}`
      const got = await fetch(`${url}?grant_type=client_credentials`)
      expect([got.status, got.headers.get('allow')]).toEqual([405, 'POST'])
      for (const type of ['application/json', 'text/plain', 'multipart/form-data; boundary=x']) {
        const headers = { 'content-type': type }
        const posted = await fetch(url, { method: 'POST', headers, body: '{"grant_type":"x"}' })
        expect([type, posted.status]).toEqual([type, 400])
        expect(posted.headers.get('cache-control')).toBe('no-store')
        expect(await posted.json()).toMatchObject({ error: 'invalid_request' })
      }
    },
  )
})
