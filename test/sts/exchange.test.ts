import { decodeJwt, decodeProtectedHeader } from 'jose'
import { beforeEach, describe, expect, test } from 'vitest'
import { GatewayError } from '../../src/errors/gateway-error.ts'
import { makeKey, mint, nowMs } from '../auth/tokens/minting.ts'
import {
  exchangePath,
  fields,
  ownIssuer,
  ownKey,
  pool,
  provider,
  providerKey,
  startSts,
  subjectIssuer,
} from './serving.ts'

let sts: ReturnType<typeof startSts>
beforeEach(() => {
  sts = startSts()
})

type Claims = Record<string, unknown>

/** A subject token that lives for so many seconds from now. */
function subjectToken(seconds = 600, claims: Claims = {}): string {
  const nowSeconds = Math.floor(sts.world.nowMs / 1000)
  return mint(providerKey, {
    claims: { iat: nowSeconds - 100, exp: nowSeconds + seconds, ...claims },
  })
}

function exchange(sent: Record<string, string | undefined> = {}) {
  return sts.postForm(exchangePath, { ...fields, subject_token: subjectToken(), ...sent })
}

async function outcome(sent: Record<string, string | undefined> = {}): Promise<unknown> {
  const { status, body } = await exchange(sent)
  return status === 200 ? body['expires_in'] : body['error']
}

test('a token of an identity provider is exchanged for one of ours that stands for its pool', async () => {
  const { status, body } = await exchange()
  expect(status).toBe(200)
  expect(body).toEqual({
    access_token: expect.any(String) as string,
    issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    token_type: 'Bearer',
    expires_in: 600,
  })
  const token = String(body['access_token'])
  expect(await sts.verifyOwn(token)).toEqual({
    kind: 'sts-identity',
    tokenId: decodeJwt(token).jti,
    organizationId: 'o-1',
    poolId: 'pool-a',
    subject: 'user-1',
    issuedAtMs: nowMs,
    expiresAtMs: nowMs + 600_000,
  })
  expect(decodeProtectedHeader(token).typ).toBe('sts+jwt')
  expect(decodeJwt(token)).toMatchObject({
    iss: ownIssuer,
    aud: ownIssuer,
    sub: 'pool-a',
    subject_issuer: subjectIssuer,
  })
})

test('what is issued stands for the pool that was named, and its identity claim', async () => {
  sts.world.providers = [
    provider({ pools: [pool('pool-a'), pool('pool-b', { identityClaim: 'claims.email' })] }),
  ]
  const { body } = await exchange({
    identity_pool_id: 'pool-b',
    subject_token: subjectToken(600, { email: 'e@example.com' }),
  })
  expect(await sts.verifyOwn(String(body['access_token']))).toMatchObject({
    poolId: 'pool-b',
    subject: 'e@example.com',
  })
})

describe('what is issued lives', () => {
  test.each([
    // asked for, left of the subject token, issued
    [undefined, 3_600, 900],
    ['900', 3_600, 900],
    ['1', 3_600, 1],
    ['60', 3_600, 60],
    ['900', 899, 899],
    [undefined, 30, 30],
    ['10', 30, 10],
    [undefined, 5, 5],
    ['3', 5, 3],
  ])('asked for %s s, with %i s left, for %i s', async (expires_in, left, issued) => {
    const { body } = await exchange({ expires_in, subject_token: subjectToken(left) })
    expect(body['expires_in']).toBe(issued)
    expect(decodeJwt(String(body['access_token'])).exp).toBe(nowMs / 1000 + issued)
  })

  test('never longer than the subject token, at whatever part of a second', async () => {
    const token = subjectToken(100)
    for (const part of [0, 1, 499, 500, 999]) {
      sts.world.nowMs = nowMs + 40_000 + part
      const { body } = await exchange({ subject_token: token })
      const { exp, iat } = decodeJwt(String(body['access_token']))
      expect(exp).toBeLessThanOrEqual(nowMs / 1000 + 100)
      expect(Number(exp) - Number(iat)).toBe(body['expires_in'])
    }
  })

  test('not at all where the subject token ends within five seconds', async () => {
    const token = subjectToken(100)
    sts.world.nowMs = nowMs + 95_000
    expect(await outcome({ subject_token: token })).toBe(5)
    sts.world.nowMs += 1
    expect(await outcome({ subject_token: token })).toBe('invalid_grant')
    // Verifiers tolerate clocks that differ by 60 s; nothing is issued on the strength of that.
    sts.world.nowMs = nowMs + 130_000
    expect(await outcome({ subject_token: token })).toBe('invalid_grant')
  })
})

test('a change of pool or provider acts between two exchanges of one token', async () => {
  const token = subjectToken()
  const again = (): Promise<unknown> => outcome({ subject_token: token })
  expect(await again()).toBe(600)
  sts.world.providers = [provider({ pools: [pool('pool-a', { state: 'disabled' })] })]
  expect(await again()).toBe('invalid_grant')
  sts.world.providers = [provider()]
  expect(await again()).toBe(600)
  sts.world.providers = [provider({ state: 'disabled' })]
  expect(await again()).toBe('invalid_grant')
  sts.world.providers = [provider({ pools: [pool('pool-a', { filter: 'claims.sub == "x"' })] })]
  expect(await again()).toBe('invalid_grant')
  sts.world.providers = []
  expect(await again()).toBe('invalid_grant')
})

test('a subject token that is refused is 400 in the same words, whatever is wrong with it', async () => {
  const stranger = makeKey('ES256', 'ec')
  sts.world.providers = [
    provider({
      pools: [
        pool('pool-a'),
        pool('pool-disabled', { state: 'disabled' }),
        pool('pool-strict', { filter: 'claims.sub == "somebody-else"' }),
        pool('pool-claim', { identityClaim: 'claims.missing' }),
      ],
    }),
    provider({ id: 'op-2', organizationId: 'o-2', state: 'disabled', pools: [pool('pool-off')] }),
    provider({ id: 'op-3', issuer: 'https://other.example', pools: [pool('pool-other')] }),
  ]
  const refusals: Record<string, Record<string, string>> = {
    'no token': { subject_token: 'not a token' },
    'too long': { subject_token: 'x'.repeat(20_000) },
    'unknown issuer': { subject_token: subjectToken(600, { iss: 'https://evil.example' }) },
    'other signature': { subject_token: mint(stranger) },
    'unknown key': { subject_token: mint(providerKey, { header: { kid: 'other' } }) },
    'other algorithm': { subject_token: mint(makeKey('ES384', 'ec')) },
    'unsigned token': { subject_token: mint(providerKey, { header: { alg: 'none' } }) },
    'other type': { subject_token: mint(providerKey, { header: { typ: 'logout+jwt' } }) },
    expired: { subject_token: subjectToken(-61) },
    'expired within the tolerance': { subject_token: subjectToken(-1) },
    'ends soon': { subject_token: subjectToken(4) },
    'not yet valid': { subject_token: subjectToken(600, { nbf: nowMs / 1000 + 61 }) },
    'too long a life': { subject_token: subjectToken(100_000) },
    'unknown pool': { identity_pool_id: 'pool-nowhere' },
    'pool of another provider': { identity_pool_id: 'pool-other' },
    'disabled pool': { identity_pool_id: 'pool-disabled' },
    'pool of a disabled provider': { identity_pool_id: 'pool-off' },
    'filter that does not match': { identity_pool_id: 'pool-strict' },
    'subject that is missing': { identity_pool_id: 'pool-claim' },
    'token of ours': { subject_token: await ourToken(), identity_pool_id: 'pool-a' },
  }
  const answers = new Set<string>()
  for (const sent of Object.values(refusals)) {
    const { status, headers, body } = await exchange(sent)
    answers.add(JSON.stringify([status, [...headers], body]))
  }
  expect([...answers]).toHaveLength(1)
  expect(await outcome(refusals['no token'])).toBe('invalid_grant')
  expect(await outcome()).toBe(600)
})

test('our own tokens are not exchanged, even where an organization names us as its provider', async () => {
  const own = await ourToken()
  sts.world.providers.push(
    provider({
      id: 'op-own',
      issuer: ownIssuer,
      jwksUri: `${ownIssuer}/jwks`,
      algorithms: ['EdDSA'],
      pools: [pool('pool-own')],
    }),
  )
  const partner = mint(ownKey, { header: { typ: 'at+jwt' }, claims: { iss: ownIssuer } })
  for (const subject_token of [own, partner])
    expect(await outcome({ subject_token, identity_pool_id: 'pool-own' })).toBe('invalid_grant')
})

async function ourToken(): Promise<string> {
  const fresh = startSts()
  const answer = await fresh.postForm(exchangePath, { ...fields, subject_token: mint(providerKey) })
  return String(answer.body['access_token'])
}

describe('503, and no refusal, with a time to come again', () => {
  test('while the key set of the provider cannot be fetched', async () => {
    sts.world.documents = {}
    const { status, headers, body } = await exchange()
    expect([status, body['error']]).toEqual([503, 'temporarily_unavailable'])
    expect(Number(headers.get('Retry-After'))).toBeGreaterThanOrEqual(1)
  })

  test('while the directory cannot be asked', async () => {
    sts.world.findProviders = () => Promise.reject(new GatewayError('DIRECTORY_UNAVAILABLE'))
    const { status, headers, body } = await exchange()
    expect([status, body['error']]).toEqual([503, 'temporarily_unavailable'])
    expect(headers.get('Retry-After')).toBe('5')
    sts.world.findProviders = () => {
      throw new GatewayError('DIRECTORY_UNAVAILABLE', { retryAfterSeconds: 7 })
    }
    expect((await exchange()).headers.get('Retry-After')).toBe('7')
  })

  test('while there is no key to sign with', async () => {
    sts.world.ownKeys = undefined
    expect((await exchange()).status).toBe(503)
  })
})

test('a bug is not answered here, so that the gateway logs it and answers', async () => {
  sts.world.findProviders = () => {
    throw new TypeError('a bug')
  }
  await expect(exchange()).rejects.toThrow('a bug')
})
