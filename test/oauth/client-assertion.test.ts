import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { encode, makeKey, mint, type SigningKey } from '../auth/tokens/minting.ts'
import { actor } from '../directory/opening.ts'
import { makeClient, post, useOAuth, type Answered, type Serving } from './serving.ts'

const serving = useOAuth()
const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** A client that signs, and what it does. */
type SigningClient = {
  readonly oauth: Serving
  readonly id: string
  readonly key: SigningKey
  /** An assertion in order, but for what is changed. */
  readonly assertion: (changes?: { header?: object; claims?: object }, key?: SigningKey) => string
  readonly present: (assertion: string, form?: Record<string, string>) => Promise<Answered>
}

async function signingClient(algorithm = 'ES256'): Promise<SigningClient> {
  const oauth = await serving()
  const ownKey = makeKey(algorithm, 'k1')
  const { id } = await makeClient(oauth, {
    authMethods: ['private_key_jwt'],
    jwks: { keys: [ownKey.jwk] },
  })
  return {
    oauth,
    id,
    key: ownKey,
    assertion: ({ header = {}, claims = {} } = {}, key = ownKey) => {
      const now = Math.floor(Date.now() / 1000)
      const usual = { iss: id, sub: id, aud: oauth.issuer, jti: randomUUID() }
      return mint(key, { header, claims: { ...usual, iat: now, exp: now + 60, ...claims } })
    },
    present: (assertion, form = {}) =>
      post(`${oauth.issuer}/oauth2/token`, {
        grant_type: 'client_credentials',
        client_assertion_type: type,
        client_assertion: assertion,
        ...form,
      }),
  }
}

describe('an assertion', () => {
  test.each(['EdDSA', 'ES256', 'RS256', 'PS512'])('by %s authenticates its client', async (one) => {
    const { id, assertion, present } = await signingClient(one)
    expect((await present(assertion())).status).toBe(200)
    expect((await present(assertion(), { client_id: id })).status).toBe(200)
    for (const typ of [undefined, 'JWT', 'client-authentication+jwt'])
      expect((await present(assertion({ header: { typ } }))).status).toBe(200)
  })

  test('is used once, however many send it at the same time', async () => {
    const { assertion, present } = await signingClient()
    const one = assertion()
    const answers = await Promise.all(Array.from({ length: 8 }, () => present(one)))
    const statuses = answers.map(({ status }) => status)
    expect(statuses.toSorted()).toEqual([200, 401, 401, 401, 401, 401, 401, 401])
    const [again, other] = [await present(one), await present(assertion())]
    expect([again.status, again.body['error'], other.status]).toEqual([401, 'invalid_client', 200])
  })

  test('is not used up by a request that cannot have a token anyhow', async () => {
    const { oauth, id, assertion, present } = await signingClient()
    const one = assertion()
    expect((await present(one, { grant_type: 'password' })).status).toBe(400)
    await oauth.directory.partnerClients.disable(id, actor)
    expect((await present(one)).status).toBe(401)
    await oauth.directory.partnerClients.enable(id, actor)
    expect((await present(one)).status).toBe(200)
  })

  test('need not name its key where its client has one of the algorithm', async () => {
    const { oauth, id, key, assertion, present } = await signingClient()
    const unnamed = { header: { kid: undefined } }
    const one = assertion(unnamed)
    expect((await present(one)).status).toBe(200)
    expect((await present(one)).status).toBe(401)

    const others = [makeKey('EdDSA', 'k2'), makeKey('RS256', 'k3'), makeKey('RS256', 'k4')]
    const jwks = { keys: [key, ...others].map(({ jwk }) => jwk) }
    await oauth.directory.partnerClients.update(id, { jwks }, actor)
    expect((await present(assertion(unnamed))).status).toBe(200)
    expect((await present(assertion(unnamed, others[0]))).status).toBe(200)
    // Which of two is meant is not tried out.
    expect((await present(assertion(unnamed, others[1]))).status).toBe(401)
    expect((await present(assertion({}, others[1]))).status).toBe(200)
  })

  test('uses its id up for its own client alone', async () => {
    const { oauth, key, assertion, present } = await signingClient()
    const jwks = { keys: [key.jwk] }
    const other = await makeClient(oauth, { authMethods: ['private_key_jwt'], jwks })
    const claims = { jti: 'the same for both' }
    expect((await present(assertion({ claims }))).status).toBe(200)
    const others = assertion({ claims: { ...claims, iss: other.id, sub: other.id } })
    expect((await present(others)).status).toBe(200)
    expect((await present(assertion({ claims }))).status).toBe(401)
  })

  test('that is not in order is refused, and always alike', async () => {
    const { oauth, id, assertion, present } = await signingClient()
    const other = await makeClient(oauth, { authMethods: ['private_key_jwt'], jwks: { keys: [] } })
    const now = Math.floor(Date.now() / 1000)
    const claims: readonly object[] = [
      { iss: other.id },
      { sub: other.id },
      { iss: other.id, sub: other.id },
      { iss: `client-${'0'.repeat(20)}`, sub: `client-${'0'.repeat(20)}` },
      { sub: undefined },
      { aud: undefined },
      { aud: [oauth.issuer] },
      { aud: [oauth.issuer, 'https://other.example.com'] },
      { aud: `${oauth.issuer}/oauth2/token` },
      { aud: `${oauth.issuer}/` },
      { exp: undefined },
      { iat: undefined },
      { exp: now + 301 },
      { iat: now + 100, exp: now + 200 },
      { iat: now - 200, exp: now - 40 },
      { nbf: now + 100 },
      { jti: undefined },
      { jti: '' },
      { jti: 7 },
      { jti: 'x'.repeat(256) },
      { jti: 'a\u0000b' },
    ]
    const stranger = makeKey('ES256', 'k1')
    const assertions = [
      ...claims.map((changed) => assertion({ claims: changed })),
      assertion({}, stranger),
      assertion({ header: { kid: 'k2' } }),
      assertion({ header: { kid: '' } }),
      assertion({ header: { kid: undefined, alg: 'ES384' } }),
      assertion({ header: { kid: undefined } }, stranger),
      assertion({ header: { typ: 'at+jwt' } }),
      assertion({ header: { alg: 'none' } }),
      assertion({ header: { alg: 'HS256' } }),
      assertion({ header: { alg: 'ES384' } }),
      assertion({ header: { jwk: stranger.jwk } }, stranger),
      `${encode({ alg: 'none', kid: 'k1' })}.${encode({ iss: id, sub: id })}.`,
      `${assertion()}x`,
      assertion().slice(0, -2),
      'a.b.c',
      'x'.repeat(10_000),
    ]
    const told = new Set<string>()
    for (const one of assertions) {
      const { status, headers, text } = await present(one)
      expect(status, one).toBe(401)
      expect(headers.has('www-authenticate')).toBe(false)
      told.add(text)
    }
    expect((await present(assertion(), { client_id: other.id })).status).toBe(401)
    expect(told.size).toBe(1)
    expect((await present(assertion())).status).toBe(200)
  })

  test('is of use to clients alone that are registered for it', async () => {
    const { oauth, key, assertion, present } = await signingClient()
    const jwks = { keys: [key.jwk] }
    const other = await makeClient(oauth, { authMethods: ['client_secret_basic'], jwks })
    const claims = { iss: other.id, sub: other.id }
    expect((await present(assertion({ claims }))).status).toBe(401)
    const authMethods = ['client_secret_basic', 'private_key_jwt'] as const
    await oauth.directory.partnerClients.update(other.id, { authMethods }, actor)
    expect((await present(assertion({ claims }))).status).toBe(200)
  })

  test('counts by the keys that its client has now', async () => {
    const { oauth, id, assertion, present } = await signingClient()
    expect((await present(assertion())).status).toBe(200)
    const next = makeKey('EdDSA', 'k2')
    await oauth.directory.partnerClients.update(id, { jwks: { keys: [next.jwk] } }, actor)
    expect((await present(assertion())).status).toBe(401)
    expect((await present(assertion({}, next))).status).toBe(200)
  })

  test('by a weak key counts for nothing', async () => {
    const { oauth, id, key, assertion, present } = await signingClient()
    const jwks = { keys: [{ ...key.jwk, use: 'enc' }] }
    await oauth.directory.partnerClients.update(id, { jwks }, actor)
    expect((await present(assertion())).status).toBe(401)
  })
})
