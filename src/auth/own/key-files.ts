import { createPrivateKey, createPublicKey, type KeyObject, type webcrypto } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { calculateJwkThumbprint } from 'jose'
import type { OwnKeys, OwnVerificationKey, SigningAlgorithm } from './signing-keys.ts'

/** Where keys stand that the operator rotates: absolute paths of PEM or JWK files. */
export type KeyFiles = {
  /** With its private part. */
  readonly current: string
  /** Published before it becomes the current one. */
  readonly next?: string | undefined
  /** Accepted for as long as they are named here. */
  readonly previous: readonly string[]
}

/** What is wrong with a key file, as a sentence that names it and says nothing of what is in it. */
export class KeyFileError extends Error {
  constructor(file: string, reason: string) {
    super(`The signing key ${file} ${reason}`)
    this.name = 'KeyFileError'
  }
}

/** The texts of key files, in the order in which they are named. */
export type KeyFileTexts = readonly { readonly file: string; readonly text: string }[]

/** Read the files. @throws {KeyFileError} */
export function readKeyFiles({ current, next, previous }: KeyFiles): Promise<KeyFileTexts> {
  const files = [current, ...(next === undefined ? [] : [next]), ...previous]
  return Promise.all(files.map(async (file) => ({ file, text: await readText(file) })))
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown reason'
    throw new KeyFileError(file, `cannot be read: ${reason}`)
  }
}

/**
 * Take keys from the texts of their files: PEM (PKCS#8, or SPKI where only verification is needed), or
 * a JSON Web Key. A key is named by its `kid`, or else by its thumbprint (RFC 7638).
 *
 * @throws {KeyFileError}
 */
export async function parseKeyFiles(
  { next: nextFile }: KeyFiles,
  texts: KeyFileTexts,
): Promise<OwnKeys> {
  const [current, ...others] = await Promise.all(
    texts.map(({ file, text }) => parseKey(file, text.trim())),
  )
  if (current === undefined) throw new Error('No key file is named')
  const { file, privateKey } = current
  if (privateKey === undefined) throw new KeyFileError(file, 'has no private part to sign with')
  requireDifferent([current, ...others])
  const accepted = others.map(({ key }) => key)
  const next = nextFile === undefined ? undefined : accepted.shift()
  return {
    current: { ...current.key, privateKey },
    next,
    previous: accepted.map((key) => ({ ...key, keepUntilMs: Number.POSITIVE_INFINITY })),
  }
}

type ParsedKey = {
  readonly file: string
  readonly key: OwnVerificationKey
  readonly privateKey: KeyObject | undefined
}

async function parseKey(file: string, text: string): Promise<ParsedKey> {
  const jwk = text.startsWith('{') ? parseJwk(file, text) : undefined
  const privateKey = isPrivate(text, jwk) ? privateKeyOf(file, jwk ?? text) : undefined
  const publicKey = privateKey ? createPublicKey(privateKey) : publicKeyOf(file, jwk ?? text)
  const members = publicKey.export({ format: 'jwk' })
  const algorithm = algorithmOf(members.crv)
  if (algorithm === undefined || (jwk?.alg ?? algorithm) !== algorithm)
    throw new KeyFileError(file, 'is neither of Ed25519 (EdDSA) nor of P-256 (ES256)')
  const kid = await kidOf(file, jwk, members)
  const { crv = '', kty = '', x = '', y } = members
  const publicJwk = { kty, crv, x, ...(y === undefined ? {} : { y }) }
  const key = { kid, algorithm, publicKey }
  return {
    file,
    key: { ...key, publicJwk: { ...publicJwk, kid, alg: algorithm, use: 'sig' } },
    privateKey,
  }
}

type Jwk = webcrypto.JsonWebKey & { readonly kid?: unknown }

function parseJwk(file: string, text: string): Jwk {
  try {
    // What is no key in it is found out by who takes it for one.
    return JSON.parse(text) as Jwk
  } catch {
    // The parser would quote what may be a private key.
    throw new KeyFileError(file, 'is not JSON')
  }
}

function isPrivate(text: string, jwk: Jwk | undefined): boolean {
  return jwk === undefined ? text.includes('PRIVATE KEY-----') : jwk.d !== undefined
}

function privateKeyOf(file: string, key: Jwk | string): KeyObject {
  try {
    return typeof key === 'string'
      ? createPrivateKey(key)
      : createPrivateKey({ key, format: 'jwk' })
  } catch {
    throw new KeyFileError(file, 'is no private key in PEM (PKCS#8) or JWK')
  }
}

function publicKeyOf(file: string, key: Jwk | string): KeyObject {
  try {
    return typeof key === 'string' ? createPublicKey(key) : createPublicKey({ key, format: 'jwk' })
  } catch {
    throw new KeyFileError(file, 'is no key in PEM or JWK')
  }
}

function algorithmOf(curve: string | undefined): SigningAlgorithm | undefined {
  if (curve === 'Ed25519') return 'EdDSA'
  return curve === 'P-256' ? 'ES256' : undefined
}

async function kidOf(
  file: string,
  jwk: Jwk | undefined,
  { kty = '', crv = '', x = '', y }: webcrypto.JsonWebKey,
): Promise<string> {
  const named = jwk?.kid
  if (named === undefined)
    return calculateJwkThumbprint({ kty, crv, x, ...(y === undefined ? {} : { y }) })
  if (typeof named === 'string' && /^[\x21-\x7e]{1,255}$/.test(named)) return named
  throw new KeyFileError(file, 'has a kid that is not 1 to 255 visible characters')
}

/** Which of two keys a token means could not be told by one id; and one key twice is a slip. */
function requireDifferent(keys: readonly ParsedKey[]): void {
  const seen = new Map<string, string>()
  for (const { file, key } of keys) {
    for (const name of [`kid ${key.kid}`, `x ${key.publicJwk['x'] ?? ''}`]) {
      const other = seen.get(name)
      if (other !== undefined) throw new KeyFileError(file, `has the key or the kid of ${other}`)
      seen.set(name, file)
    }
  }
}
