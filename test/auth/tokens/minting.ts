import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import type { JsonObject } from '../../../src/auth/tokens/strict-json.ts'

/** A key that tests sign with, and its public half as an issuer publishes it. */
export type SigningKey = {
  readonly kid: string
  readonly algorithm: string
  readonly privateKey: KeyObject
  readonly jwk: JsonObject
}

/** Noon of a day; what tests take for the present. */
export const nowMs = 1_800_000_000_000

/** Base64url of JSON text, or of the text as it is. */
export function encode(part: string | object): string {
  return Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url')
}

/** Make a key for one of the algorithms. */
export function makeKey(algorithm: string, kid: string): SigningKey {
  const { privateKey, publicKey } = pairFor(algorithm)
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, alg: algorithm, use: 'sig' }
  return { kid, algorithm, privateKey, jwk }
}

function pairFor(algorithm: string): { privateKey: KeyObject; publicKey: KeyObject } {
  if (algorithm === 'EdDSA') return generateKeyPairSync('ed25519')
  const curves: Record<string, string> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }
  const namedCurve = curves[algorithm]
  if (namedCurve !== undefined) return generateKeyPairSync('ec', { namedCurve })
  return generateKeyPairSync('rsa', { modulusLength: 2048 })
}

/** Sign two parts that are already encoded, by Node's own cryptography. */
export function signParts(key: SigningKey, header: string, payload: string): string {
  const input = Buffer.from(`${header}.${payload}`)
  return `${header}.${payload}.${signature(key, input).toString('base64url')}`
}

function signature({ algorithm, privateKey }: SigningKey, input: Buffer): Buffer {
  if (algorithm === 'EdDSA') return sign(null, input, privateKey)
  const hash = `sha${algorithm.slice(2)}`
  if (algorithm.startsWith('ES'))
    return sign(hash, input, { key: privateKey, dsaEncoding: 'ieee-p1363' })
  if (algorithm.startsWith('RS')) return sign(hash, input, privateKey)
  return sign(hash, input, {
    key: privateKey,
    padding: 6,
    saltLength: Number(algorithm.slice(2)) / 8,
  })
}

/** A token that is in order, but for what is changed; `undefined` leaves a member out. */
export function mint(
  key: SigningKey,
  { header = {}, claims = {} }: { header?: object; claims?: object } = {},
): string {
  const nowSeconds = nowMs / 1000
  return signParts(
    key,
    encode({ alg: key.algorithm, kid: key.kid, typ: 'JWT', ...header }),
    encode({
      iss: 'https://idp.example.com',
      sub: 'user-1',
      aud: 'https://api.example.com',
      iat: nowSeconds - 10,
      exp: nowSeconds + 600,
      ...claims,
    }),
  )
}
