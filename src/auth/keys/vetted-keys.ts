import { importJWK, type JWK } from 'jose'
import { isJsonObject, type JsonObject } from '../tokens/strict-json.ts'
import { algorithmNamed, type SignatureAlgorithm } from './algorithm.ts'
import { isRocaModulus } from './roca.ts'
import type { VerificationKey } from './verification-key.ts'

/** Why a key of a set is not used. */
export type DroppedKeyReason =
  | 'not-an-object'
  | 'kid-missing'
  | 'kid-not-unique'
  | 'private-members'
  | 'key-type'
  | 'use'
  | 'algorithm'
  | 'curve'
  | 'encoding'
  | 'rsa-size'
  | 'rsa-exponent'
  | 'rsa-roca'
  | 'refused-by-import'

export type DroppedKey = {
  /** Shortened; undefined where it is no string. */
  readonly kid: string | undefined
  readonly reason: DroppedKeyReason
}

/** What is good of a key set, and what is not, for whoever has to tell the issuer. */
export type VettedKeys = {
  readonly keys: ReadonlyMap<string, VerificationKey>
  readonly dropped: readonly DroppedKey[]
}

const maxKeys = 100

/**
 * Take the good keys of a JSON Web Key Set. A bad key is dropped and the rest stay: an issuer that
 * publishes one weak key must not lock everybody out.
 *
 * @returns undefined where this is no key set, or one of more than 100 keys
 * @see RFC 7517 §5, RFC 7518 §6, RFC 8037 §2
 */
export async function vetKeys(document: unknown): Promise<VettedKeys | undefined> {
  const members = isJsonObject(document) ? document['keys'] : undefined
  if (!Array.isArray(members) || members.length > maxKeys) return undefined
  const candidates: readonly unknown[] = members
  const keys = new Map<string, VerificationKey>()
  const dropped: DroppedKey[] = []
  for (const candidate of candidates) {
    const vetted = isTwice(candidate, candidates) ? 'kid-not-unique' : await vetKey(candidate)
    if (typeof vetted === 'string') dropped.push({ kid: shortKid(candidate), reason: vetted })
    else keys.set(vetted.kid, vetted)
  }
  return { keys, dropped }
}

/** Of two keys of one id neither is used, since which one a token means cannot be told. */
function isTwice(candidate: unknown, candidates: readonly unknown[]): boolean {
  const kid = kidOf(candidate)
  return typeof kid === 'string' && candidates.filter((other) => kidOf(other) === kid).length > 1
}

function kidOf(candidate: unknown): unknown {
  return isJsonObject(candidate) ? candidate['kid'] : undefined
}

function shortKid(candidate: unknown): string | undefined {
  const kid = kidOf(candidate)
  return typeof kid === 'string' ? kid.slice(0, 64) : undefined
}

/** Vet one JSON Web Key; its algorithm is what it says, or follows from its type and curve. */
export async function vetKey(candidate: unknown): Promise<VerificationKey | DroppedKeyReason> {
  if (!isJsonObject(candidate)) return 'not-an-object'
  const { kid } = candidate
  if (typeof kid !== 'string' || kid === '' || kid.length > 256) return 'kid-missing'
  const flaw = commonFlaw(candidate) ?? materialFlaw(candidate)
  if (flaw !== undefined) return flaw
  const algorithm = algorithmOf(candidate)
  if (algorithm === undefined) return 'algorithm'
  const key = await importPublic(candidate, algorithm)
  return key === undefined ? 'refused-by-import' : { kid, algorithm, key }
}

const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv']

function commonFlaw(jwk: JsonObject): DroppedKeyReason | undefined {
  if (typeof jwk['kty'] !== 'string' || !['RSA', 'EC', 'OKP'].includes(jwk['kty']))
    return 'key-type'
  if (privateMembers.some((member) => member in jwk)) return 'private-members'
  if (jwk['use'] !== undefined && jwk['use'] !== 'sig') return 'use'
  const operations = jwk['key_ops']
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify')))
    return 'use'
  return undefined
}

function materialFlaw(jwk: JsonObject): DroppedKeyReason | undefined {
  switch (jwk['kty']) {
    case 'RSA':
      return rsaFlaw(octetsOf(jwk['n']), octetsOf(jwk['e']))
    case 'EC':
      return pointFlaw(jwk, coordinateBytes)
    default:
      return pointFlaw(jwk, { Ed25519: 32 })
  }
}

/** Bytes of a coordinate of each curve. */
const coordinateBytes: Readonly<Record<string, number>> = {
  'P-256': 32,
  'P-384': 48,
  'P-521': 66,
}

function pointFlaw(
  jwk: JsonObject,
  curves: Readonly<Record<string, number>>,
): DroppedKeyReason | undefined {
  const curve = jwk['crv']
  if (typeof curve !== 'string' || !Object.hasOwn(curves, curve)) return 'curve'
  const coordinates = jwk['kty'] === 'EC' ? [jwk['x'], jwk['y']] : [jwk['x']]
  const fit = coordinates.every((text) => octetsOf(text)?.length === curves[curve])
  return fit ? undefined : 'encoding'
}

function rsaFlaw(n: Buffer | undefined, e: Buffer | undefined): DroppedKeyReason | undefined {
  if (n === undefined || e === undefined) return 'encoding'
  // Before any arithmetic, so that a modulus of a megabyte costs nothing. Leading zeros are not
  // allowed (RFC 7518 §6.3.1.1); issuers that send one are read all the same.
  if (n.length > 1025) return 'rsa-size'
  const modulus = BigInt(`0x0${n.toString('hex')}`)
  const bits = modulus.toString(2).length
  if (bits < 2048 || bits > 8192) return 'rsa-size'
  // An exponent of 1 makes every message its own signature; 3 has a history of forgeries.
  if (e.length > 8 || BigInt(`0x0${e.toString('hex')}`) < 65537n) return 'rsa-exponent'
  if ((e.at(-1) ?? 0) % 2 === 0) return 'rsa-exponent'
  if (modulus % 2n === 0n) return 'rsa-size'
  return isRocaModulus(modulus) ? 'rsa-roca' : undefined
}

/** Canonical base64url only (RFC 7515 §2). */
function octetsOf(text: unknown): Buffer | undefined {
  if (typeof text !== 'string' || text === '' || text.length > 2048) return undefined
  const octets = Buffer.from(text, 'base64url')
  return octets.toString('base64url') === text ? octets : undefined
}

/** A key is for one algorithm: its own, or the usual one of its type where it names none. */
function algorithmOf(jwk: JsonObject): SignatureAlgorithm | undefined {
  const inferred = usualAlgorithm(jwk)
  if (jwk['alg'] === undefined) return inferred
  const named = algorithmNamed(jwk['alg'])
  if (jwk['kty'] === 'RSA') return named !== undefined && /^[RP]S/.test(named) ? named : undefined
  return named === inferred ? named : undefined
}

function usualAlgorithm(jwk: JsonObject): SignatureAlgorithm | undefined {
  if (jwk['kty'] === 'RSA') return 'RS256'
  if (jwk['crv'] === 'Ed25519') return 'EdDSA'
  return ({ 'P-256': 'ES256', 'P-384': 'ES384', 'P-521': 'ES512' } as const)[
    jwk['crv'] as 'P-256' | 'P-384' | 'P-521'
  ]
}

/** Import refuses points that are not on their curve; only the members that were vetted are passed. */
async function importPublic(
  jwk: JsonObject,
  algorithm: SignatureAlgorithm,
): Promise<VerificationKey['key'] | undefined> {
  const { kty, n, e, crv, x, y } = jwk
  const members = Object.entries({ kty, n, e, crv, x, y }).filter(
    ([, value]) => value !== undefined,
  )
  try {
    const key = await importJWK(Object.fromEntries(members) as JWK, algorithm)
    return key instanceof Uint8Array ? undefined : key
  } catch {
    // Whatever the library says of it, it is no key; the reason is the same to whoever reads it.
    return undefined
  }
}
