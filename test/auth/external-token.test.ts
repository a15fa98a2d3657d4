import { afterAll, beforeEach, expect, test } from 'vitest'
import { createExternalTokenVerifier, type TokenContext } from '../../src/auth/external-token.ts'
import type {
  FindProviders,
  IdentityPoolRecord,
  IdentityProviderRecord,
} from '../../src/auth/identity-provider.ts'
import { createAddressPolicy } from '../../src/auth/keys/address-policy.ts'
import { createDocumentFetcher, type FetchDocument } from '../../src/auth/keys/document-fetch.ts'
import { createKeySets } from '../../src/auth/keys/key-sets.ts'
import { GatewayError } from '../../src/errors/gateway-error.ts'
import { startOpenIdIssuer } from './keys/openid-issuer.ts'
import { makeKey, mint, nowMs as presentMs } from './tokens/minting.ts'

const issuer = 'https://idp.example.com'
const ec = makeKey('ES256', 'ec')
const rsa = makeKey('RS256', 'rsa')

let nowMs = presentMs
let providers: IdentityProviderRecord[]
let documents: Record<string, unknown>
let lookUps: number

beforeEach(() => {
  nowMs = presentMs
  lookUps = 0
  providers = [provider()]
  documents = { [`${issuer}/jwks`]: { keys: [ec.jwk, rsa.jwk] } }
})

function pool(id: string, changes: Partial<IdentityPoolRecord> = {}): IdentityPoolRecord {
  return { id, state: 'enabled', identityClaim: 'claims.sub', filter: 'true', ...changes }
}

function provider(changes: Partial<IdentityProviderRecord> = {}): IdentityProviderRecord {
  return {
    id: 'op-1',
    organizationId: 'o-1',
    issuer,
    jwksUri: `${issuer}/jwks`,
    algorithms: ['RS', 'ES256'],
    state: 'enabled',
    identityClaim: undefined,
    pools: [pool('pool-b'), pool('pool-a')],
    ...changes,
  }
}

const fetchDocument: FetchDocument = async (url) => {
  const body = await Promise.resolve(documents[url])
  if (body === 'hang') return new Promise(() => undefined)
  if (body === undefined) throw new Error('away')
  return { body, maxAgeSeconds: undefined }
}

const findProviders: FindProviders = (of) => {
  lookUps++
  return providers.filter((each) => each.issuer === of)
}

function build(find = findProviders, fetch = fetchDocument, deadlineMs = 20_000) {
  const log = { keysDropped: () => undefined, fetchFailed: () => undefined }
  const now = (): number => nowMs
  const keySets = createKeySets({
    fetchDocument: fetch,
    log,
    now,
    random: () => 0,
    deadlineMs,
  })
  const verify = createExternalTokenVerifier({ findProviders: find, keySets, now })
  return (token: string, { poolHeader, organizationId }: Partial<TokenContext> = {}) =>
    verify(token, { poolHeader, organizationId })
}

type Verify = ReturnType<typeof build>

async function reason(verify: Verify, ...args: Parameters<Verify>): Promise<unknown> {
  try {
    const answer = await verify(...args)
    return answer.kind === 'refused' ? answer.reason : answer.poolIds
  } catch (error) {
    return error instanceof GatewayError ? error.code : error
  }
}

test('a token stands for its organization, its pools and its subject', async () => {
  expect(await build()(mint(ec))).toEqual({
    kind: 'external-identity',
    organizationId: 'o-1',
    poolIds: ['pool-a', 'pool-b'],
    subject: 'user-1',
    issuer,
    expiresAtMs: presentMs + 600_000,
  })
})

test('a known token costs no promise, and not beyond its end', async () => {
  const verify = build()
  const token = mint(ec, { claims: { exp: presentMs / 1000 + 30 } })
  const first = await verify(token)
  expect(verify(token)).toBe(first)
  documents = {}
  nowMs += 29_000
  expect(verify(token)).toBe(first)
  nowMs += 70_000
  expect(await reason(verify, token)).toBe('expired')
})

test('what another header or organization was told is not told to this one', async () => {
  const verify = build()
  const token = mint(ec)
  await verify(token)
  expect(await reason(verify, token, { poolHeader: 'pool-a' })).toEqual(['pool-a'])
  expect(await reason(verify, token, { poolHeader: 'pool-c' })).toBe('unknown-pool')
  expect(await reason(verify, token, { organizationId: 'o-2' })).toBe('unknown-issuer')
})

test('a change of the records acts on known tokens at once', async () => {
  const verify = build()
  const token = mint(ec)
  expect(await reason(verify, token)).toEqual(['pool-a', 'pool-b'])
  providers = [provider({ pools: [pool('pool-a'), pool('pool-b', { state: 'disabled' })] })]
  expect(await reason(verify, token)).toEqual(['pool-a'])
  providers = [provider({ pools: [pool('pool-a', { filter: 'claims.sub == "other"' })] })]
  expect(await reason(verify, token)).toBe('no-pool-matches')
  providers = [provider({ state: 'disabled' })]
  expect(await reason(verify, token)).toBe('unknown-issuer')
  providers = [provider({ algorithms: ['RS256'] })]
  expect(await reason(verify, token)).toBe('algorithm')
  providers = [provider({ algorithms: ['none'] })]
  expect(await reason(verify, token)).toBe('algorithm')
  providers = []
  expect(await reason(verify, token)).toBe('unknown-issuer')
  providers = [provider()]
  expect(await reason(verify, token)).toEqual(['pool-a', 'pool-b'])
})

test('keys that one organization wrote open nothing of another that trusts the same issuer', async () => {
  const forger = makeKey('ES256', 'ec')
  documents['https://forger.example/jwks'] = { keys: [forger.jwk] }
  providers.push(
    provider({
      id: 'op-2',
      organizationId: 'o-2',
      jwksUri: 'https://forger.example/jwks',
      pools: [pool('pool-forger')],
    }),
  )
  const verify = build()
  expect(await reason(verify, mint(forger))).toEqual(['pool-forger'])
  expect(await reason(verify, mint(forger), { poolHeader: 'pool-a' })).toBe('signature')
  expect(await reason(verify, mint(ec))).toEqual(['pool-a', 'pool-b'])
  expect(await reason(verify, mint(ec), { poolHeader: 'pool-forger' })).toBe('signature')
})

test('an organization whose address hangs or fails holds up nobody else', async () => {
  providers = [
    provider({ id: 'op-2', organizationId: 'o-2', jwksUri: 'https://slow.example/jwks' }),
    provider(),
  ]
  documents['https://slow.example/jwks'] = 'hang'
  // Whoever waited for it would wait for longer than a test may take.
  const patient = build(findProviders, fetchDocument, 600_000)
  expect(await reason(patient, mint(ec))).toEqual(['pool-a', 'pool-b'])
  documents['https://slow.example/jwks'] = undefined
  const verify = build()
  expect(await reason(verify, mint(ec))).toEqual(['pool-a', 'pool-b'])
  expect(await reason(verify, mint(ec, { header: { kid: 'none' } }))).toBe('DIRECTORY_UNAVAILABLE')
})

test('pools of several organizations are told apart by header or by hint, else refused', async () => {
  providers.push(provider({ id: 'op-2', organizationId: 'o-2', pools: [pool('pool-2')] }))
  const verify = build()
  expect(await reason(verify, mint(ec))).toBe('ambiguous-organization')
  expect(await reason(verify, mint(ec), { poolHeader: 'pool-2' })).toEqual(['pool-2'])
  expect(await reason(verify, mint(ec), { poolHeader: 'pool-2,pool-a' })).toBe(
    'ambiguous-organization',
  )
  expect(await reason(verify, mint(ec), { organizationId: 'o-2' })).toEqual(['pool-2'])
  expect(await reason(verify, mint(ec), { organizationId: 'o-3' })).toBe('unknown-issuer')
})

test('the subject is what the identity claim of the pools says', async () => {
  const subject = async (
    pools: IdentityPoolRecord[],
    identityClaim: string | undefined,
    claims: object = {},
  ): Promise<unknown> => {
    providers = [provider({ pools, identityClaim })]
    const answer = await build()(
      mint(ec, { claims: { email: 'e@x', act: { sub: 'actor' }, n: 5, ...claims } }),
    )
    return answer.kind === 'refused' ? answer.reason : answer.subject
  }
  const by = (...names: string[]): IdentityPoolRecord[] =>
    names.map((identityClaim, index) => pool(`pool-${index}`, { identityClaim }))
  expect(await subject(by('claims.email'), undefined)).toBe('e@x')
  expect(await subject(by('email'), undefined)).toBe('e@x')
  expect(await subject(by('claims.act.sub'), undefined)).toBe('actor')
  expect(await subject(by('claims.email', 'claims.email'), 'claims.sub')).toBe('e@x')
  expect(await subject(by('claims.email', 'claims.sub'), 'claims.act.sub')).toBe('actor')
  expect(await subject(by('claims.email', 'claims.sub'), undefined)).toBe('user-1')
  for (const claim of ['claims.n', 'claims.missing', 'claims.act', 'claims.toString', ''])
    expect(await subject(by(claim), undefined)).toBe('subject-missing')
  expect(await subject(by('claims.email'), undefined, { email: 'a\r\nb' })).toBe('subject-missing')
})

test('an issuer that nobody knows causes no fetch, and a provider that is away is no refusal', async () => {
  let fetches = 0
  const verify = build(findProviders, (url, signal) => {
    fetches++
    return fetchDocument(url, signal)
  })
  documents = {}
  expect(await reason(verify, mint(ec, { claims: { iss: 'https://evil.example' } }))).toBe(
    'unknown-issuer',
  )
  expect(fetches).toBe(0)
  expect(await reason(verify, mint(ec))).toBe('DIRECTORY_UNAVAILABLE')
  expect(fetches).toBe(1)
})

test('a token that is no token asks nobody', async () => {
  const verify = build()
  for (const token of ['', 'x', 'a.b', 'a.b.c', `${mint(ec)} `, 'x'.repeat(9000)])
    expect(await reason(verify, token)).toBeTypeOf('string')
  expect(lookUps).toBe(0)
})

test('a failing directory is no refusal either', async () => {
  const failing = (): never => {
    throw new GatewayError('DIRECTORY_UNAVAILABLE')
  }
  expect(await reason(build(failing), mint(ec))).toBe('DIRECTORY_UNAVAILABLE')
  const rejecting = () => Promise.reject(new GatewayError('DIRECTORY_UNAVAILABLE'))
  expect(await reason(build(rejecting), mint(ec))).toBe('DIRECTORY_UNAVAILABLE')
  expect(
    await reason(
      build((of) => Promise.resolve(findProviders(of))),
      mint(ec),
    ),
  ).toEqual(['pool-a', 'pool-b'])
})

const fetcher = createDocumentFetcher({
  policy: createAddressPolicy({ allow: ['127.0.0.1'], allowHttp: true }),
})
afterAll(() => fetcher.close())

test('tokens of a real OpenID provider pass through its rotation and an outage of an hour', async () => {
  const real = await startOpenIdIssuer()
  nowMs = Date.now()
  providers = [
    provider({
      issuer: real.issuer,
      jwksUri: undefined,
      pools: [
        pool('pool-real', { filter: 'claims.aud == "orders" && claims.client_id == "robot"' }),
      ],
    }),
  ]
  const verify = build(findProviders, fetcher.fetchDocument)
  const before = await real.issueToken()
  expect(await reason(verify, before)).toEqual(['pool-real'])
  real.rotate()
  nowMs += 31_000
  const after = await real.issueToken()
  expect(await reason(verify, after)).toEqual(['pool-real'])
  real.behave = 'hang'
  for (let minute = 0; minute < 60; minute++) {
    nowMs += 60_000
    expect(await reason(verify, minute % 2 === 0 ? before : after)).toEqual(['pool-real'])
  }
  await real.stop()
})

test('a provider that names no algorithm accepts every one that is asymmetric', async () => {
  providers = [provider({ algorithms: [] })]
  for (const key of [ec, rsa])
    expect(await reason(build(), mint(key))).toEqual(['pool-a', 'pool-b'])
})
