import { randomUUID } from 'node:crypto'
import { decodeJwt } from 'jose'
import { describe, expect, test } from 'vitest'
import { GatewayError } from '../../src/errors/gateway-error.ts'
import { makeKey, mint } from '../auth/tokens/minting.ts'
import { actor, makePool } from '../directory/opening.ts'
import { basic } from '../support/basic.ts'
import {
  answered,
  introspector,
  makeClient,
  post,
  useOAuth,
  type Answered,
  type Serving,
} from './serving.ts'

const serving = useOAuth()
const upstream = basic(introspector.id, introspector.secret)

function introspect(
  { issuer }: Serving,
  token: string,
  authorization: string | undefined = upstream,
): Promise<Answered> {
  return post(`${issuer}/oauth2/introspect`, { token }, { authorization })
}

async function partnerToken(oauth: Serving, options = {}): Promise<{ id: string; token: string }> {
  const { id, secret } = await makeClient(oauth, options)
  const form = { grant_type: 'client_credentials', client_id: id, client_secret: secret }
  const { body } = await post(`${oauth.issuer}/oauth2/token`, form)
  return { id, token: String(body['access_token']) }
}

describe('an upstream of ours learns', () => {
  test("what a partner's token stands for", async () => {
    const oauth = await serving()
    const { token } = await partnerToken(oauth)
    const { status, headers, body } = await introspect(oauth, token)
    expect(status).toBe(200)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(body).toEqual({ active: true, token_type: 'Bearer', ...decodeJwt(token) })
  })

  test('what an STS token stands for', async () => {
    const oauth = await serving()
    const { poolId, organizationId } = await makePool(oauth.directory)
    const claims = { organization: organizationId, subject: 'somebody' }
    const { token } = await oauth.issueToken({
      kind: 'sts',
      subject: poolId,
      audience: oauth.issuer,
      lifetimeSeconds: 600,
      claims,
    })
    const { body } = await introspect(oauth, token)
    expect(body).toEqual({ active: true, token_type: 'Bearer', ...decodeJwt(token) })
  })

  test('the scopes that the client still has, and nothing once it is disabled', async () => {
    const oauth = await serving()
    const { id, token } = await partnerToken(oauth)
    const scopes = ['partner:describe', 'partner:delete']
    await oauth.directory.partnerClients.update(id, { scopes }, actor)
    expect((await introspect(oauth, token)).body['scope']).toBe('partner:describe')
    await oauth.directory.partnerClients.disable(id, actor)
    expect((await introspect(oauth, token)).body).toEqual({ active: false })
  })

  test('of every other token that it is not active, and nothing more', async () => {
    const oauth = await serving()
    const { id, token } = await partnerToken(oauth)
    const assertion = await oauth.issueToken({
      kind: 'assertion',
      subject: id,
      audience: oauth.issuer,
      lifetimeSeconds: 60,
      claims: {},
    })
    const now = Math.floor(Date.now() / 1000)
    const kid = oauth.directory.signingKeys()?.current.kid ?? ''
    const forged = mint(makeKey('EdDSA', kid), {
      header: { typ: 'at+jwt' },
      claims: {
        iss: oauth.issuer,
        sub: id,
        aud: `${oauth.issuer}/partner`,
        iat: now,
        exp: now + 60,
        jti: randomUUID(),
        scope: 'partner:create',
      },
    })
    const others = [assertion.token, forged, `${token}x`, 'x', 'a.b.c', 'é', 'x'.repeat(20_000)]
    for (const other of others)
      expect((await introspect(oauth, other)).body).toEqual({ active: false })
    // To the second, though our own processes allow for clocks that differ.
    oauth.clock.aheadMs = Number(decodeJwt(token).exp) * 1000 - Date.now()
    expect((await introspect(oauth, token)).body).toEqual({ active: false })
  })
})

describe('nobody else learns anything', () => {
  test('and is challenged, whatever was presented', async () => {
    const oauth = await serving()
    const { id, secret } = await makeClient(oauth)
    const { token } = await partnerToken(oauth)
    const strangers = [
      basic(introspector.id, 'another secret'),
      basic('billing', introspector.secret),
      basic(introspector.id, `${introspector.secret} `),
      basic(id, secret),
      basic('x', 'y'),
      `Bearer ${token}`,
    ]
    const told = new Set<string>()
    for (const authorization of strangers) {
      const { status, headers, text } = await introspect(oauth, token, authorization)
      expect([status, headers.get('www-authenticate')]).toEqual([401, 'Basic realm="gatehouse"'])
      told.add(text)
    }
    const bare = await post(`${oauth.issuer}/oauth2/introspect`, { token })
    expect([bare.status, bare.headers.has('www-authenticate')]).toEqual([401, true])
    expect(new Set([...told, bare.text]).size).toBe(1)
    const malformed = await introspect(oauth, token, 'Basic ???')
    expect([malformed.status, malformed.body['error']]).toEqual([400, 'invalid_request'])
  })

  test('by credentials in the form', async () => {
    const oauth = await serving()
    const { token } = await partnerToken(oauth)
    const form = { token, client_id: introspector.id, client_secret: introspector.secret }
    expect((await post(`${oauth.issuer}/oauth2/introspect`, form)).status).toBe(401)
  })

  test('where no upstream may introspect', async () => {
    const oauth = await serving(() => ({ introspectors: [] }))
    expect((await introspect(oauth, 'x')).status).toBe(401)
  })
})

test('a secret of an upstream is taken form-encoded too', async () => {
  const oauth = await serving()
  const encode = (text: string): string => new URLSearchParams({ '': text }).toString().slice(1)
  const encoded = basic(encode(introspector.id), encode(introspector.secret))
  expect((await introspect(oauth, 'x', encoded)).body).toEqual({ active: false })
})

test('a request names a token, once', async () => {
  const oauth = await serving()
  for (const form of ['', 'token=', 'token=a&token=b'])
    expect(
      await post(`${oauth.issuer}/oauth2/introspect`, form, { authorization: upstream }),
    ).toMatchObject({ status: 400, body: { error: 'invalid_request' } })
})

test('where it cannot be told whether a token counts, the answer is 503', async () => {
  const unavailable = (): never => {
    throw new GatewayError('DIRECTORY_UNAVAILABLE')
  }
  const oauth = await serving(() => ({ verifyOwnToken: unavailable }))
  const { id, secret } = await makeClient(oauth)
  const answers = [
    await introspect(oauth, 'x'),
    await post(
      `${oauth.issuer}/oauth2/revoke`,
      { token: 'x' },
      { authorization: basic(id, secret) },
    ),
  ]
  for (const { status, headers, body } of answers) {
    expect([status, body['error']]).toEqual([503, 'temporarily_unavailable'])
    expect(headers.get('retry-after')).toBe('1')
  }
})

describe('while keys rotate', () => {
  const rotation = { algorithm: 'ES256', minPublishedMs: 0, keepPreviousMs: 3600_000 } as const

  test('the key set has all three, and a token of the previous one stays active', async () => {
    const oauth = await serving()
    const keySet = async (): Promise<readonly { kid: string }[]> => {
      const { body } = await answered(await fetch(`${oauth.issuer}/oauth2/jwks.json`))
      return body['keys'] as readonly { kid: string }[]
    }
    const { token } = await partnerToken(oauth)
    const first = await keySet()
    expect(first.length).toBe(2)
    await oauth.directory.keyRotation.rotate(rotation, actor)
    const second = await keySet()
    expect(second.length).toBe(3)
    expect(second[0]?.kid).toBe(first[1]?.kid)
    expect(second[2]?.kid).toBe(first[0]?.kid)
    expect(JSON.stringify(second)).not.toContain('"d":')
    expect((await introspect(oauth, token)).body['active']).toBe(true)
    expect((await introspect(oauth, (await partnerToken(oauth)).token)).body['active']).toBe(true)
    // A previous key is dropped when the last token that it signed has expired.
    oauth.clock.aheadMs = 3601_000
    expect((await keySet()).map(({ kid }) => kid)).toEqual(second.slice(0, 2).map(({ kid }) => kid))
  })
})
