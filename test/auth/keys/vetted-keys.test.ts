import { generateKeyPairSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { isRocaModulus } from '../../../src/auth/keys/roca.ts'
import { vetKey, vetKeys } from '../../../src/auth/keys/vetted-keys.ts'
import { makeKey } from '../tokens/minting.ts'

const rsa = makeKey('RS256', 'rsa').jwk
const ec = makeKey('ES256', 'ec').jwk
const p521 = makeKey('ES512', 'p521').jwk
const okp = makeKey('EdDSA', 'okp').jwk

async function verdict(jwk: unknown): Promise<string> {
  const vetted = await vetKey(jwk)
  return typeof vetted === 'string' ? vetted : vetted.algorithm
}

function base64url(value: bigint): string {
  const hex = value.toString(16)
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex').toString('base64url')
}

function numberOf(text: unknown): bigint {
  return BigInt(`0x${Buffer.from(String(text), 'base64url').toString('hex')}`)
}

function rsaOfBits(bits: number): object {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: bits })
  return { ...publicKey.export({ format: 'jwk' }), kid: 'k' }
}

test('a key names its algorithm, or its type does', async () => {
  const verdicts = await Promise.all(
    [rsa, ec, p521, okp].flatMap((jwk) => [jwk, { ...jwk, alg: undefined }]).map(verdict),
  )
  expect(verdicts).toEqual(
    ['RS256', 'ES256', 'ES512', 'EdDSA'].flatMap((algorithm) => [algorithm, algorithm]),
  )
  expect(await verdict({ ...rsa, alg: 'PS384' })).toBe('PS384')
  expect(await verdict({ ...okp, alg: 'Ed25519' })).toBe('EdDSA')
})

test('a key that could be misused is dropped, and the reason is told', async () => {
  const n = numberOf(rsa['n'])
  const cases: readonly (readonly [unknown, string])[] = [
    [null, 'not-an-object'],
    ['key', 'not-an-object'],
    [[ec], 'not-an-object'],
    [{ ...ec, kid: undefined }, 'kid-missing'],
    [{ ...ec, kid: 1 }, 'kid-missing'],
    [{ ...ec, kid: '' }, 'kid-missing'],
    [{ ...ec, kid: 'k'.repeat(257) }, 'kid-missing'],
    [{ kty: 'oct', k: 'AAAA', kid: 'k' }, 'key-type'],
    [{ ...ec, kty: 'ec' }, 'key-type'],
    [{ ...ec, kty: 'AKP' }, 'key-type'],
    [{ ...ec, d: 'AAAA' }, 'private-members'],
    [{ ...rsa, p: 'AAAA' }, 'private-members'],
    [{ ...rsa, k: 'AAAA' }, 'private-members'],
    [{ ...rsa, use: 'enc' }, 'use'],
    [{ ...rsa, use: 'SIG' }, 'use'],
    [{ ...rsa, key_ops: ['encrypt'] }, 'use'],
    [{ ...rsa, key_ops: 'verify' }, 'use'],
    [{ ...rsa, alg: 'ES256' }, 'algorithm'],
    [{ ...rsa, alg: 'RSA-OAEP' }, 'algorithm'],
    [{ ...rsa, alg: 'RS1' }, 'algorithm'],
    [{ ...ec, alg: 'ES384' }, 'algorithm'],
    [{ ...ec, alg: 'HS256' }, 'algorithm'],
    [{ ...ec, alg: 'none' }, 'algorithm'],
    [{ ...okp, alg: 'ES256' }, 'algorithm'],
    [{ ...ec, crv: 'secp256k1' }, 'curve'],
    [{ ...ec, crv: 'P-192' }, 'curve'],
    [{ ...ec, crv: 'constructor' }, 'curve'],
    [{ ...okp, crv: 'X25519' }, 'curve'],
    [{ ...okp, crv: 'Ed448' }, 'curve'],
    [{ ...ec, x: undefined }, 'encoding'],
    [{ ...ec, x: `${String(ec['x'])}=` }, 'encoding'],
    [{ ...ec, x: 'AAAA' }, 'encoding'],
    [{ ...ec, crv: 'P-384' }, 'encoding'],
    [{ ...okp, x: 'AAAA' }, 'encoding'],
    [{ ...ec, y: ec['x'] }, 'refused-by-import'],
    [{ ...ec, x: 'A'.repeat(43), y: 'A'.repeat(43) }, 'refused-by-import'],
    [{ ...rsa, n: undefined }, 'encoding'],
    [{ ...rsa, n: `${String(rsa['n'])}\n` }, 'encoding'],
    [{ ...rsa, n: base64url(n >> 1n) }, 'rsa-size'],
    [{ ...rsa, n: base64url(n - 1n) }, 'rsa-size'],
    [{ ...rsa, n: base64url((1n << 8192n) + 1n) }, 'rsa-size'],
    [{ ...rsa, n: 'A'.repeat(400_000) }, 'encoding'],
    [rsaOfBits(1024), 'rsa-size'],
    ...[0n, 1n, 2n, 3n, 17n, 65_535n, 65_536n, 65_538n].map(
      (e) => [{ ...rsa, e: base64url(e) }, 'rsa-exponent'] as const,
    ),
    [{ ...rsa, e: base64url(n) }, 'rsa-exponent'],
    [{ ...rsa, n: base64url(rocaModulus()) }, 'rsa-roca'],
  ]
  const verdicts = await Promise.all(cases.map(([jwk]) => verdict(jwk)))
  expect(verdicts).toEqual(cases.map(([, reason]) => reason))
})

/** A number that the flawed generator could have made, of 2,048 bits: k·M + 65537^a mod M. */
function rocaModulus(): bigint {
  const primes = [
    2n,
    3n,
    5n,
    7n,
    11n,
    13n,
    17n,
    19n,
    23n,
    29n,
    31n,
    37n,
    41n,
    43n,
    47n,
    53n,
    59n,
    61n,
    67n,
    71n,
    73n,
    79n,
    83n,
    89n,
    97n,
    101n,
    103n,
    107n,
    109n,
    113n,
    127n,
    131n,
    137n,
    139n,
    149n,
    151n,
    157n,
    163n,
    167n,
  ]
  const product = primes.reduce((so, prime) => so * prime, 1n)
  const power = 65537n ** 12n % product
  return (((1n << 2047n) / product + 2n) * product + power) | 0n
}

test('good moduli do not carry the fingerprint of the flawed generator', () => {
  expect(isRocaModulus(rocaModulus())).toBe(true)
  expect(isRocaModulus(numberOf(rsa['n']))).toBe(false)
})

test('bad keys are dropped and the rest stay', async () => {
  const vetted = await vetKeys({ keys: [rsa, { ...ec, d: 'A' }, okp, 5, { kty: 'oct', k: 'A' }] })
  expect([...(vetted?.keys.keys() ?? [])]).toEqual(['rsa', 'okp'])
  expect(vetted?.dropped).toEqual([
    { kid: 'ec', reason: 'private-members' },
    { kid: undefined, reason: 'not-an-object' },
    { kid: undefined, reason: 'kid-missing' },
  ])
})

test('of two keys of one id neither is used', async () => {
  const vetted = await vetKeys({ keys: [rsa, { ...ec, kid: 'rsa' }, okp] })
  expect([...(vetted?.keys.keys() ?? [])]).toEqual(['okp'])
})

test('what is no key set, or one beyond all measure, is none', async () => {
  const documents = [null, [], {}, { keys: {} }, { keys: 'x' }, { keys: Array(101).fill(ec) }]
  for (const document of documents) expect(await vetKeys(document)).toBeUndefined()
  expect((await vetKeys({ keys: [] }))?.keys.size).toBe(0)
})
