import { decodeJwt, decodeProtectedHeader } from 'jose'
import { describe, expect, test } from 'vitest'
import { GatewayError } from '../../src/errors/gateway-error.ts'
import { actor } from '../directory/opening.ts'
import { basic } from '../support/basic.ts'
import { lifetimeSeconds, makeClient, post, useOAuth, type Answered } from './serving.ts'

const serving = useOAuth()
const grant = { grant_type: 'client_credentials' }

/** Status and error, as they are compared. */
function refusalOf({ status, body }: Answered): string {
  return `${status} ${String(body['error'])}`
}

describe('a token', () => {
  test.each(['EdDSA', 'ES256'] as const)(
    'signed by %s says by RFC 9068 who got it, for what and for how long',
    async (algorithm) => {
      const oauth = await serving(undefined, { withoutKeys: true })
      await oauth.directory.keyRotation.ensure(algorithm, actor)
      const { id, secret, partnerId } = await makeClient(oauth)
      const answer = await post(`${oauth.issuer}/oauth2/token`, grant, {
        authorization: basic(id, secret),
      })
      expect(answer.status).toBe(200)
      const { access_token, ...rest } = answer.body
      const scope = 'partner:create partner:describe'
      expect(rest).toEqual({ token_type: 'Bearer', expires_in: lifetimeSeconds, scope })
      const token = String(access_token)
      expect(decodeProtectedHeader(token)).toEqual({
        alg: algorithm,
        typ: 'at+jwt',
        kid: oauth.directory.signingKeys()?.current.kid,
      })
      const { jti, iat = 0, ...claims } = decodeJwt(token)
      expect(jti).toMatch(/^[\da-f-]{36}$/)
      expect(claims).toEqual({
        iss: oauth.issuer,
        sub: id,
        aud: `${oauth.issuer}/partner`,
        exp: iat + lifetimeSeconds,
        client_id: id,
        scope,
        partner: partnerId,
      })
      expect(await oauth.verifyOwnToken(token)).toMatchObject({ kind: 'partner-identity' })
    },
  )

  test('is kept by no cache, and neither is a refusal', async () => {
    const oauth = await serving()
    const { id, secret } = await makeClient(oauth)
    for (const sent of [secret, 'wrong']) {
      const { headers } = await post(`${oauth.issuer}/oauth2/token`, grant, {
        authorization: basic(id, sent),
      })
      expect(headers.get('cache-control')).toBe('no-store')
      expect(headers.get('pragma')).toBe('no-cache')
      expect(headers.get('content-type')).toContain('application/json')
    }
  })

  test('has the scopes that were asked for, each once and in that order, and no others', async () => {
    const oauth = await serving()
    const { id, secret } = await makeClient(oauth)
    const ask = (scope: string): Promise<Answered> =>
      post(
        `${oauth.issuer}/oauth2/token`,
        { ...grant, scope },
        { authorization: basic(id, secret) },
      )
    const twice = 'partner:describe partner:create partner:describe'
    expect((await ask(twice)).body['scope']).toBe('partner:describe partner:create')
    expect((await ask('partner:describe')).body['scope']).toBe('partner:describe')
    expect((await ask('')).body['scope']).toBe('partner:create partner:describe')
    for (const scope of ['partner:delete', 'partner:create partner:delete', 'PARTNER:create', ' '])
      expect(refusalOf(await ask(scope)), scope).toBe('400 invalid_scope')
  })

  test('is refused to a client that is granted nothing', async () => {
    const oauth = await serving()
    const { id, secret } = await makeClient(oauth, { scopes: [] })
    const answer = await post(`${oauth.issuer}/oauth2/token`, grant, {
      authorization: basic(id, secret),
    })
    expect(refusalOf(answer)).toBe('400 invalid_scope')
  })

  test('is for our partner interface alone', async () => {
    const oauth = await serving()
    const { id, secret } = await makeClient(oauth)
    const ask = (form: Record<string, string>): Promise<Answered> =>
      post(
        `${oauth.issuer}/oauth2/token`,
        { ...grant, ...form },
        { authorization: basic(id, secret) },
      )
    const own = `${oauth.issuer}/partner`
    expect((await ask({ audience: own, resource: own })).status).toBe(200)
    for (const other of [oauth.issuer, `${own}/`, 'https://other.example.com', 'urn:x'])
      for (const name of ['audience', 'resource'])
        expect(refusalOf(await ask({ [name]: other }))).toBe('400 invalid_target')
  })

  test('is given for the grant type client_credentials alone', async () => {
    const oauth = await serving()
    const { id, secret } = await makeClient(oauth)
    const ask = (form: Record<string, string>): Promise<Answered> =>
      post(`${oauth.issuer}/oauth2/token`, form, { authorization: basic(id, secret) })
    for (const type of ['password', 'urn:ietf:params:oauth:grant-type:token-exchange', 'x'])
      expect(refusalOf(await ask({ grant_type: type }))).toBe('400 unsupported_grant_type')
    for (const form of [{}, { grant_type: '' }])
      expect(refusalOf(await ask(form))).toBe('400 invalid_request')
  })
})

describe('a client with a secret', () => {
  test('may send it raw or form-encoded in the field, or in the form', async () => {
    const oauth = await serving()
    const { id, secret } = await makeClient(oauth)
    const url = `${oauth.issuer}/oauth2/token`
    const encode = (text: string): string => text.replaceAll('_', '%5F').replaceAll('-', '%2d')
    for (const authorization of [basic(id, secret), basic(encode(id), encode(secret))]) {
      expect((await post(url, grant, { authorization })).status).toBe(200)
      expect((await post(url, { ...grant, client_id: id }, { authorization })).status).toBe(200)
    }
    const posted = { ...grant, client_id: id, client_secret: secret }
    expect((await post(url, posted)).status).toBe(200)
  })

  test('may use either of two secrets, until it ends', async () => {
    const oauth = await serving()
    const { id, secret } = await makeClient(oauth)
    const otherExpiresAtMs = Date.now() + 60_000
    const added = await oauth.directory.partnerClients.addSecret(
      { clientId: id, otherExpiresAtMs },
      actor,
    )
    const statusWith = async (one: string): Promise<number> => {
      const authorization = basic(id, one)
      return (await post(`${oauth.issuer}/oauth2/token`, grant, { authorization })).status
    }
    expect([await statusWith(secret), await statusWith(added.secret)]).toEqual([200, 200])
    oauth.clock.aheadMs = 61_000
    expect([await statusWith(secret), await statusWith(added.secret)]).toEqual([401, 200])
  })

  test('is refused from the moment that it or its partner is disabled', async () => {
    const oauth = await serving()
    const { id, secret, partnerId } = await makeClient(oauth)
    const ask = (): Promise<Answered> =>
      post(`${oauth.issuer}/oauth2/token`, grant, { authorization: basic(id, secret) })
    const { partnerClients, partners } = oauth.directory
    expect((await ask()).status).toBe(200)
    await partnerClients.disable(id, actor)
    expect(refusalOf(await ask())).toBe('401 invalid_client')
    await partnerClients.enable(id, actor)
    expect((await ask()).status).toBe(200)
    await partners.disable(partnerId, actor)
    expect(refusalOf(await ask())).toBe('401 invalid_client')
  })

  test('may use the methods that it is registered for, and no other', async () => {
    const oauth = await serving()
    const url = `${oauth.issuer}/oauth2/token`
    for (const method of ['client_secret_basic', 'client_secret_post'] as const) {
      const { id, secret } = await makeClient(oauth, { authMethods: [method] })
      const byField = await post(url, grant, { authorization: basic(id, secret) })
      const byForm = await post(url, { ...grant, client_id: id, client_secret: secret })
      const isBasic = method === 'client_secret_basic'
      expect([byField.status, byForm.status]).toEqual(isBasic ? [200, 401] : [401, 200])
    }
  })

  test('learns the same, at the same cost, where it is unknown, wrong or disabled', async () => {
    let digests = 0
    const oauth = await serving(({ digestSecret }) => ({
      digestSecret: (secret) => {
        digests++
        return digestSecret(secret)
      },
    }))
    const known = await makeClient(oauth)
    const disabled = await makeClient(oauth)
    await oauth.directory.partnerClients.disable(disabled.id, actor)
    const orphaned = await makeClient(oauth)
    await oauth.directory.partners.disable(orphaned.partnerId, actor)
    const cases = [
      { id: `client-${'0'.repeat(20)}`, secret: known.secret },
      { id: 'no id at all', secret: known.secret },
      { id: known.id, secret: disabled.secret },
      disabled,
      orphaned,
    ]
    const url = `${oauth.issuer}/oauth2/token`
    const ways = [
      ({ id, secret }: (typeof cases)[0]) => post(url, grant, { authorization: basic(id, secret) }),
      ({ id, secret }: (typeof cases)[0]) =>
        post(url, grant, { authorization: basic(id, `${secret}%41`) }),
      ({ id, secret }: (typeof cases)[0]) =>
        post(url, { ...grant, client_id: id, client_secret: secret }),
    ]
    for (const ask of ways) {
      const told = new Set<string>()
      for (const one of cases) {
        digests = 0
        const { status, headers, text } = await ask(one)
        const fields = [...headers].filter(([name]) => name !== 'date')
        told.add(JSON.stringify({ status, text, fields, digests }))
      }
      expect(told.size, [...told].join('\n')).toBe(1)
    }
  })

  test('is challenged where it used the Authorization field, and only there', async () => {
    const oauth = await serving()
    const { id } = await makeClient(oauth)
    const url = `${oauth.issuer}/oauth2/token`
    const used = [basic(id, 'wrong'), 'Bearer abc', 'Digest abc']
    for (const authorization of used) {
      const answer = await post(url, grant, { authorization })
      expect(refusalOf(answer)).toBe('401 invalid_client')
      expect(answer.headers.get('www-authenticate')).toBe('Basic realm="gatehouse"')
    }
    for (const form of [{}, { client_id: id }, { client_id: id, client_secret: 'wrong' }]) {
      const answer = await post(url, { ...grant, ...form })
      expect(refusalOf(answer)).toBe('401 invalid_client')
      expect(answer.headers.has('www-authenticate')).toBe(false)
    }
  })

  test('must present itself in one way, whole and readable', async () => {
    const oauth = await serving()
    const { id, secret } = await makeClient(oauth)
    const url = `${oauth.issuer}/oauth2/token`
    const authorization = basic(id, secret)
    const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
    const refused: [Record<string, string>, string?][] = [
      [{ client_secret: secret }, authorization],
      [{ client_id: id, client_secret: secret }, authorization],
      [{ client_assertion: 'a.b.c', client_assertion_type: type }, authorization],
      [{ client_assertion_type: type }, authorization],
      [{ client_id: id, client_secret: secret, client_assertion: 'a.b.c' }],
      [{ client_id: 'client-of-somebody-else' }, authorization],
      [{ client_secret: secret }],
      [{ client_assertion: 'a.b.c' }],
      [{ client_assertion_type: type }],
      [{ client_assertion: 'a.b.c', client_assertion_type: `${type}2` }],
      [{}, 'Basic'],
      [{}, 'Basic ???'],
      [{}, `Basic ${Buffer.from(`${id}:`).toString('base64')}`],
      [{}, `Basic ${Buffer.from(id).toString('base64')}`],
      [{}, `${authorization}, ${authorization}`],
    ]
    for (const [form, field] of refused) {
      const options = field === undefined ? {} : { authorization: field }
      const answer = await post(url, { ...grant, ...form }, options)
      expect(refusalOf(answer), JSON.stringify([form, field])).toBe('400 invalid_request')
    }
  })

  test('is not read from the query', async () => {
    const oauth = await serving()
    const { id, secret } = await makeClient(oauth)
    const query = new URLSearchParams({ client_id: id, client_secret: secret }).toString()
    const answer = await post(`${oauth.issuer}/oauth2/token?${query}`, grant)
    expect(refusalOf(answer)).toBe('401 invalid_client')
  })
})

describe('503 temporarily_unavailable', () => {
  test('is answered where there is no key to sign with', async () => {
    const oauth = await serving(undefined, { withoutKeys: true })
    const { id, secret } = await makeClient(oauth)
    const authorization = basic(id, secret)
    const answer = await post(`${oauth.issuer}/oauth2/token`, grant, { authorization })
    expect(refusalOf(answer)).toBe('503 temporarily_unavailable')
    expect(answer.headers.get('retry-after')).toBe('1')
    expect(answer.headers.get('cache-control')).toBe('no-store')
  })

  test('says how long to wait where that is known', async () => {
    const oauth = await serving(() => ({
      findPartnerClient: () =>
        Promise.reject(new GatewayError('DIRECTORY_UNAVAILABLE', { retryAfterSeconds: 7 })),
    }))
    const authorization = basic('client-0123456789', 'x')
    const answer = await post(`${oauth.issuer}/oauth2/token`, grant, { authorization })
    expect(refusalOf(answer)).toBe('503 temporarily_unavailable')
    expect(answer.headers.get('retry-after')).toBe('7')
  })
})
