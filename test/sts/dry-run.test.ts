import { beforeEach, describe, expect, test } from 'vitest'
import { GatewayError } from '../../src/errors/gateway-error.ts'
import { advice } from '../../src/sts/dry-run.ts'
import { makeKey, mint, nowMs } from '../auth/tokens/minting.ts'
import {
  administratorOf,
  document,
  dryRunPath,
  fields,
  ownIssuer,
  ownKey,
  pool,
  provider,
  providerKey,
  startSts,
} from './serving.ts'

let sts: ReturnType<typeof startSts>
beforeEach(() => {
  sts = startSts()
})

const complete: Record<string, string | undefined> = {
  ...fields,
  subject_token: mint(providerKey),
}

async function reason(sent: Record<string, string | undefined> = {}): Promise<unknown> {
  const { status, body } = await sts.postForm(dryRunPath, { ...complete, ...sent })
  return status === 200 ? (body['reason'] ?? body['would_succeed']) : body['error']
}

const claims = (changed: object): { subject_token: string } => ({
  subject_token: mint(providerKey, { claims: changed }),
})

test('an exchange that would succeed is said to, with the lifetime of what would be issued', async () => {
  const { status, body } = await sts.postForm(dryRunPath, { ...complete, expires_in: '700' })
  expect([status, body]).toEqual([200, { would_succeed: true, expires_in: 600 }])
})

test('an exchange that would fail is explained, with what to do', async () => {
  const { status, body } = await sts.postForm(dryRunPath, {
    ...complete,
    ...claims({ iat: nowMs / 1000 - 200, exp: nowMs / 1000 - 100 }),
  })
  expect([status, body]).toEqual([
    200,
    {
      would_succeed: false,
      reason: 'expired',
      explanation: 'The token has expired.',
      what_to_do: expect.stringMatching(/\.$/) as string,
    },
  ])
})

test('each kind of mistake has a reason of its own', async () => {
  sts.world.providers = [
    provider({
      pools: [
        pool('pool-a'),
        pool('pool-strict', { filter: 'claims.sub == "x"' }),
        pool('pool-claim', { identityClaim: 'claims.missing' }),
      ],
    }),
  ]
  const now = nowMs / 1000
  const token = (subject_token: string): Promise<unknown> => reason({ subject_token })
  expect(await token('not a token')).toBe('not_a_compact_jws')
  expect(await reason(claims({ iss: 'https://evil.example' }))).toBe('unknown_issuer')
  expect(await token(mint(makeKey('ES256', 'ec')))).toBe('signature')
  expect(await token(mint(providerKey, { header: { kid: 'other' } }))).toBe('unknown_kid')
  expect(await token(mint(makeKey('ES384', 'ec')))).toBe('algorithm')
  expect(await token(mint(providerKey, { header: { typ: 'logout+jwt' } }))).toBe('token_type')
  expect(await reason(claims({ nbf: now + 61 }))).toBe('not_yet_valid')
  expect(await reason(claims({ exp: now + 100_000 }))).toBe('lifetime')
  expect(await reason(claims({ exp: now + 4 }))).toBe('subject_token_ends_soon')
  expect(await reason({ identity_pool_id: 'pool-nowhere' })).toBe('unknown_pool')
  expect(await reason({ identity_pool_id: 'pool-strict' })).toBe('no_pool_matches')
  expect(await reason({ identity_pool_id: 'pool-claim' })).toBe('subject_missing')
  expect(await reason()).toBe(true)
})

test('the reasons are those that the document lists, each with sentences that quote nothing', () => {
  const listed = document.components.schemas.DryRunReply.properties.reason['x-extensible-enum']
  expect(Object.keys(advice).map((name) => name.replaceAll('-', '_'))).toEqual(listed)
  for (const { explanation, whatToDo } of Object.values(advice)) {
    expect(explanation).toMatch(/^[A-Z][^."]+\.$/)
    expect(whatToDo).toMatch(/^[A-Z][^"]+\.$/)
  }
})

test('another organization is told nothing about a pool, nor about its provider', async () => {
  sts.world.authentication = administratorOf('o-2')
  const strange = await reason(claims({ iss: 'https://evil.example' }))
  expect(strange).toBe('unknown_issuer')
  for (const sent of [
    {},
    { identity_pool_id: 'pool-nowhere' },
    { subject_token: mint(makeKey('ES256', 'ec')) },
    claims({ iat: nowMs / 1000 - 200, exp: nowMs / 1000 - 100 }),
    claims({ exp: nowMs / 1000 + 3 }),
  ])
    expect(await reason(sent)).toBe(strange)
  sts.world.providers.push(provider({ id: 'op-2', organizationId: 'o-2', pools: [pool('pool-2')] }))
  expect(await reason()).toBe('unknown_pool')
  expect(await reason({ identity_pool_id: 'pool-2' })).toBe(true)
})

test('what one organization was told of a token is not told to another', async () => {
  expect(await reason()).toBe(true)
  sts.world.authentication = administratorOf('o-2')
  expect(await reason()).toBe('unknown_issuer')
})

test('an anonymous caller is told nothing, even where a document lets one in', async () => {
  sts.world.authentication = { kind: 'anonymous' }
  await expect(reason()).rejects.toMatchObject({ code: 'ACCESS_DENIED' })
})

test('neither the token nor what it claims is sent back', async () => {
  const secret = { sub: 'SECRET-SUBJECT', iss: 'https://secret-issuer.example', email: 'SECRET@x' }
  for (const subject_token of [
    mint(providerKey, { claims: secret }),
    mint(providerKey, { claims: { ...secret, iss: 'https://idp.example.com' } }),
    'SECRET.SECRET.SECRET',
  ]) {
    const { body } = await sts.postForm(dryRunPath, {
      ...complete,
      subject_token,
      identity_pool_id: 'pool-SECRET',
    })
    expect(body['would_succeed']).toBe(false)
    expect(JSON.stringify(body)).not.toMatch(/secret/i)
    expect(JSON.stringify(body)).not.toContain(subject_token.slice(0, 20))
  }
})

test('tokens of ours have an unknown issuer, even where we are somebody’s provider', async () => {
  sts.world.providers = [
    provider({
      issuer: ownIssuer,
      jwksUri: `${ownIssuer}/jwks`,
      algorithms: ['EdDSA'],
    }),
  ]
  const subject_token = mint(ownKey, { header: { typ: 'at+jwt' }, claims: { iss: ownIssuer } })
  expect(await reason({ subject_token })).toBe('unknown_issuer')
})

test('a malformed request and an outage are answered as at the exchange', async () => {
  expect(await reason({ grant_type: 'password' })).toBe('unsupported_grant_type')
  expect(await reason({ expires_in: '901' })).toBe('invalid_request')
  sts.world.findProviders = () => Promise.reject(new GatewayError('DIRECTORY_UNAVAILABLE'))
  expect(await reason()).toBe('temporarily_unavailable')
})

describe('a body of JSON', () => {
  const json = 'application/json; charset=utf-8'
  async function outcome(body: string): Promise<unknown> {
    const answer = await sts.post(dryRunPath, body, json)
    return answer.status === 200 ? answer.body['expires_in'] : answer.body['error_description']
  }

  test('has the same fields, and numbers as they are', async () => {
    expect(await outcome(JSON.stringify({ ...complete, expires_in: 60 }))).toBe(60)
    expect(await outcome(` ${JSON.stringify({ ...complete, expires_in: '61' })}\n`)).toBe(61)
    expect(await outcome(JSON.stringify({ ...complete, scope: null, metadata: { a: [] } }))).toBe(
      600,
    )
  })

  test('is refused where a field is no text, or no number of seconds', async () => {
    for (const value of [[], {}, true, ['pool-a']])
      expect(await outcome(JSON.stringify({ ...complete, identity_pool_id: value }))).toBe(
        'The field identity_pool_id is not a string.',
      )
    for (const value of [1.5, 0, -1, 1e300])
      expect(await outcome(JSON.stringify({ ...complete, expires_in: value }))).toMatch(
        /expires_in/,
      )
  })

  test('is refused where it is no object, or has a member twice', async () => {
    for (const body of [
      '',
      '[]',
      'null',
      '"x"',
      '{',
      '{"scope":"","scope":""}',
      '{"__proto__":{}}',
    ])
      expect(await outcome(body)).toBe('The body is not a JSON object, or a member stands twice.')
  })
})
