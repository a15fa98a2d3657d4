import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { Session } from './database.ts'
import type { DirectoryLog } from './directory-log.ts'
import type { Sealing } from './sealing.ts'
import { allSigningKeys, type SigningKeyRow } from './sql/signing-keys.ts'

/** JWS algorithms that we sign with: Ed25519 (RFC 8037), or ECDSA on P-256 (RFC 7518 §3.4). */
export type SigningAlgorithm = 'EdDSA' | 'ES256'

/** A key whose signatures are to be accepted, and that our key set publishes. */
export type VerificationKey = {
  /** The JWK's SHA-256 thumbprint (RFC 7638). */
  readonly kid: string
  readonly algorithm: SigningAlgorithm
  /** With `kid`, `alg` and `use`, as a key set has it (RFC 7517). */
  readonly publicJwk: Readonly<Record<string, string>>
  readonly publicKey: KeyObject
}

/** Our keys. The private ones of the next and of previous keys are not read. */
export type SigningKeys = {
  readonly current: VerificationKey & {
    /** Undefined where the pepper is not configured that it was encrypted under. */
    readonly privateKey: KeyObject | undefined
  }
  /** Published already, so that it is known everywhere when it becomes current. */
  readonly next: VerificationKey | undefined
  /** The newest first. */
  readonly previous: readonly (VerificationKey & {
    /** When the last token is over that it signed, in milliseconds since the epoch. */
    readonly keepUntilMs: number
  })[]
}

/**
 * Read all keys. What is read is undefined before any is made, and the same object as before where
 * nothing has changed.
 */
export function createSigningKeyReader(
  session: Session,
  sealing: Sealing,
  log: DirectoryLog,
): () => Promise<SigningKeys | undefined> {
  let lastRows: readonly SigningKeyRow[] = []
  let last: SigningKeys | undefined
  return async () => {
    const rows = await session.query(allSigningKeys)
    if (isDeepStrictEqual(rows, lastRows)) return last
    last = keysOf(rows, sealing, log)
    lastRows = rows
    return last
  }
}

function keysOf(
  rows: readonly SigningKeyRow[],
  sealing: Sealing,
  log: DirectoryLog,
): SigningKeys | undefined {
  const current = rows.find(({ state }) => state === 'current')
  const next = rows.find(({ state }) => state === 'next')
  if (current === undefined) return undefined
  return {
    current: { ...verificationKeyOf(current), privateKey: privateKeyOf(current, sealing, log) },
    next: next && verificationKeyOf(next),
    previous: rows.flatMap((row) =>
      row.keep_until_ms === undefined
        ? []
        : [{ ...verificationKeyOf(row), keepUntilMs: row.keep_until_ms }],
    ),
  }
}

function verificationKeyOf(row: SigningKeyRow): VerificationKey {
  const { kid, algorithm, public_jwk: publicJwk } = row
  const publicKey = createPublicKey({ key: publicJwk, format: 'jwk' })
  return { kid, algorithm, publicJwk, publicKey }
}

function privateKeyOf(
  { kid, sealed_private_key: sealed, pepper_id: pepperId }: SigningKeyRow,
  sealing: Sealing,
  log: DirectoryLog,
): KeyObject | undefined {
  const key = sealed && pepperId !== undefined ? sealing.unseal(sealed, pepperId, kid) : undefined
  if (key !== undefined) return createPrivateKey({ key, format: 'der', type: 'pkcs8' })
  log.error({ kid, pepperId }, 'the signing key cannot be decrypted with the configured peppers')
  return undefined
}
