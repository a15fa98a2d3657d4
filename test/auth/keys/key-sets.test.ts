import { afterEach, beforeEach, expect, test } from 'vitest'
import { createAddressPolicy } from '../../../src/auth/keys/address-policy.ts'
import { createDocumentFetcher, type FetchDocument } from '../../../src/auth/keys/document-fetch.ts'
import { createKeySets, type KeySets } from '../../../src/auth/keys/key-sets.ts'
import type { VerificationKey } from '../../../src/auth/keys/verification-key.ts'
import { GatewayError } from '../../../src/errors/gateway-error.ts'
import { readCompactJws } from '../../../src/auth/tokens/compact-jws.ts'
import { makeKey } from '../tokens/minting.ts'
import { startOpenIdIssuer, type OpenIdIssuer } from './openid-issuer.ts'

const minute = 60_000
const hour = 60 * minute
const fetcher = createDocumentFetcher({
  policy: createAddressPolicy({ allow: ['127.0.0.1'], allowHttp: true }),
})

let issuer: OpenIdIssuer
let nowMs: number
let failures: unknown[]
let keySets: KeySets

beforeEach(async () => {
  issuer = await startOpenIdIssuer()
  nowMs = Date.now()
  failures = []
  keySets = keySetsWith(fetchDocument)
})

afterEach(() => issuer.stop())

/** As the real one, but that it has little patience with a provider that hangs. */
const fetchDocument: FetchDocument = (url, signal) =>
  fetcher.fetchDocument(
    url,
    issuer.behave === 'hang' ? AbortSignal.any([signal, AbortSignal.timeout(100)]) : signal,
  )

function keySetsWith(fetch: FetchDocument, maxIssuers = 10, deadlineMs = 20_000): KeySets {
  return createKeySets({
    fetchDocument: fetch,
    log: {
      keysDropped: () => undefined,
      fetchFailed: (_issuer, error) => failures.push(error),
    },
    now: () => nowMs,
    random: () => 0.5,
    deadlineMs,
    maxIssuers,
  })
}

type Found = VerificationKey | undefined

function find(kid: string): Found | Promise<Found> {
  return keySets.keysOf({ issuer: issuer.issuer, jwksUri: undefined })(kid)
}

/** Without discovery, as providers whose answers the test makes up. */
function findByAddress(kid: string): Found | Promise<Found> {
  return keySets.keysOf({ issuer: 'https://i.example', jwksUri: 'https://i.example/jwks' })(kid)
}

async function kidOfToken(): Promise<string> {
  const token = readCompactJws(await issuer.issueToken())
  return token.kind === 'unverified' ? token.header.kid : ''
}

/** A failure may be thrown or rejected. */
async function codeOf(ask: () => Found | Promise<Found>): Promise<string> {
  try {
    return (await ask()) === undefined ? 'unknown' : 'found'
  } catch (error) {
    return error instanceof GatewayError ? error.code : String(error)
  }
}

test('keys are found by discovery, fetched once however many ask, and at hand afterwards', async () => {
  const kid = await kidOfToken()
  const found = await Promise.all(Array.from({ length: 100 }, async () => find(kid)))
  expect(new Set(found).size).toBe(1)
  expect(found[0]?.algorithm).toBe('RS256')
  expect(issuer.keySetRequests()).toBe(1)
  expect(find(kid)).toBe(found[0])
})

test('metadata of another issuer are refused', async () => {
  const other = issuer.issuer.replace('127.0.0.1', 'localhost')
  const local = createDocumentFetcher({
    policy: createAddressPolicy({ allow: ['localhost', '127.0.0.0/8'], allowHttp: true }),
  })
  const { keysOf } = keySetsWith(local.fetchDocument)
  expect(await codeOf(() => keysOf({ issuer: other, jwksUri: undefined })('k'))).toBe(
    'DIRECTORY_UNAVAILABLE',
  )
  expect(await codeOf(() => keysOf({ issuer: `${issuer.issuer}/`, jwksUri: undefined })('k'))).toBe(
    'DIRECTORY_UNAVAILABLE',
  )
  expect(failures.map(String)).toEqual([
    'Error: the metadata are of another issuer',
    'Error: the metadata are of another issuer',
  ])
  await local.close()
})

test('a rotated key is found at once, after the cool-down at the latest', async () => {
  expect(await codeOf(async () => find(await kidOfToken()))).toBe('found')
  issuer.rotate()
  const kid = await kidOfToken()
  expect(await codeOf(() => find(kid))).toBe('unknown')
  nowMs += 30_000
  expect(await codeOf(() => find(kid))).toBe('found')
  expect(issuer.keySetRequests()).toBe(2)
})

test('a withdrawn key is forgotten at the next refresh', async () => {
  const old = await kidOfToken()
  expect(await codeOf(() => find(old))).toBe('found')
  issuer.rotate({ forget: true })
  nowMs += 24 * hour
  expect(await codeOf(async () => find(await kidOfToken()))).toBe('found')
  expect(await codeOf(() => find(old))).toBe('unknown')
})

test('ten thousand unknown ids cost one fetch for each cool-down', async () => {
  const known = await kidOfToken()
  await find(known)
  for (let round = 1; round <= 3; round++) {
    nowMs += 30_000
    const kids = Array.from({ length: 10_000 }, (_, index) => `kid-${round}-${index}`)
    const codes = await Promise.all(kids.map((kid) => codeOf(() => find(kid))))
    expect(new Set(codes)).toEqual(new Set(['unknown']))
    expect(issuer.keySetRequests()).toBe(1 + round)
    expect(find(known)).not.toBeInstanceOf(Promise)
  }
})

test.each(['reset', 'error', 'hang'] as const)(
  'a provider that is away (%s): keys at hand go on without waiting, for an hour and a day more',
  async (behaviour) => {
    const kid = await kidOfToken()
    await find(kid)
    issuer.behave = behaviour
    const start = nowMs
    for (const later of [10 * minute, hour, 23 * hour, 30 * hour, 48 * hour - minute]) {
      nowMs = start + later
      expect(find(kid)).not.toBeInstanceOf(Promise)
      // Whatever has failed in the background meanwhile, has; a caller with another key finds out.
      expect(await codeOf(() => find('unknown'))).toBe('DIRECTORY_UNAVAILABLE')
    }
    nowMs = start + 48 * hour
    expect(await codeOf(() => find(kid))).toBe('DIRECTORY_UNAVAILABLE')
  },
)

test.each(['reset', 'error', 'hang'] as const)(
  'a provider that is away (%s) costs at most one fetch for each cool-down, and 503',
  async (behaviour) => {
    issuer.behave = behaviour
    keySets = keySetsWith((url, signal) => {
      fetches++
      return fetchDocument(url, signal)
    })
    let fetches = 0
    const ask = () =>
      Promise.all(Array.from({ length: 1000 }, (_, n) => codeOf(() => find(`k${n}`))))
    expect(new Set(await ask())).toEqual(new Set(['DIRECTORY_UNAVAILABLE']))
    expect(new Set(await ask())).toEqual(new Set(['DIRECTORY_UNAVAILABLE']))
    expect(fetches).toBe(1)
    nowMs += 31_500
    await ask()
    expect(fetches).toBe(2)
    issuer.behave = 'well'
    nowMs += 31_500
    expect(await codeOf(async () => find(await kidOfToken()))).toBe('found')
  },
)

test('a fetch that never ends is left when its deadline comes', async () => {
  keySets = keySetsWith(() => new Promise(() => undefined), 10, 50)
  expect(await codeOf(() => findByAddress('k'))).toBe('DIRECTORY_UNAVAILABLE')
})

test('with keys at hand, the pauses after failures double', async () => {
  let fetches = 0
  let fails = false
  const jwk = makeKey('ES256', 'k').jwk
  keySets = keySetsWith(() => {
    fetches++
    if (fails) return Promise.reject(new Error('away'))
    return Promise.resolve({ body: { keys: [jwk] }, maxAgeSeconds: undefined })
  })
  await findByAddress('k')
  fails = true
  nowMs += 21 * hour
  const at: number[] = []
  const start = nowMs
  for (let second = 0; second < 1500; second++) {
    const before = fetches
    await findByAddress('k')
    await Promise.resolve()
    if (fetches > before) at.push((nowMs - start) / 1000)
    for (let turn = 0; turn < 10; turn++) await Promise.resolve()
    nowMs += 1000
  }
  expect(at).toEqual([0, 32, 95, 221, 473, 725, 977, 1229, 1481])
})

test('lifetimes are kept between five minutes and a week; a day is the default', async () => {
  const jwk = makeKey('ES256', 'k').jwk
  const lifetimes = { 0: 300, 300: 300, 4000: 4000, 604_800: 604_800, 9_999_999: 604_800 }
  const cases = [...Object.entries(lifetimes).map(([a, b]) => [Number(a), b]), [undefined, 86_400]]
  for (const [maxAgeSeconds, lifetime = 0] of cases) {
    let fetches = 0
    keySets = keySetsWith(() => {
      fetches++
      return Promise.resolve({ body: { keys: [jwk] }, maxAgeSeconds })
    })
    await findByAddress('k')
    const refreshMs = lifetime * 1000 * 0.825
    nowMs += refreshMs - 1
    expect(findByAddress('k')).not.toBeInstanceOf(Promise)
    expect(fetches).toBe(1)
    nowMs += 1
    expect(findByAddress('k')).not.toBeInstanceOf(Promise)
    expect(fetches).toBe(2)
  }
})

test('what is no key set counts as a failure, and the keys at hand are used on', async () => {
  let body: unknown = { keys: [makeKey('ES256', 'k').jwk] }
  keySets = keySetsWith(() => Promise.resolve({ body, maxAgeSeconds: 300 }))
  await findByAddress('k')
  for (const bad of [{}, [], 'text', null, { keys: 'k' }]) {
    body = bad
    nowMs += 10 * minute
    expect(await codeOf(() => findByAddress('other'))).toBe('DIRECTORY_UNAVAILABLE')
    expect(await codeOf(() => findByAddress('k'))).toBe('found')
  }
  body = { keys: [] }
  nowMs += 10 * minute
  expect(await codeOf(() => findByAddress('other'))).toBe('unknown')
  expect(await codeOf(() => findByAddress('k'))).toBe('unknown')
})

test('as many issuers are remembered as are allowed, and an address is part of an issuer', async () => {
  const fetched: string[] = []
  const { keysOf } = keySetsWith((url) => {
    fetched.push(url)
    return Promise.resolve({ body: { keys: [makeKey('ES256', url).jwk] }, maxAgeSeconds: 300 })
  }, 2)
  const ask = (jwksUri: string) => keysOf({ issuer: 'https://i.example', jwksUri })(jwksUri)
  for (const name of ['a', 'b', 'a', 'c', 'a', 'b']) await ask(`https://${name}.example`)
  expect(fetched.map((url) => url.slice(8, 9)).join('')).toBe('abcb')
})
