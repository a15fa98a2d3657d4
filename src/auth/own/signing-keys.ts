import type { KeyObject } from 'node:crypto'

/** Algorithms that we sign with. */
export type SigningAlgorithm = 'EdDSA' | 'ES256'

/** A key of ours whose signatures are accepted, and that our key set publishes. */
export type OwnVerificationKey = {
  readonly kid: string
  readonly algorithm: SigningAlgorithm
  /** As a key set has it, with `kid`, `alg` and `use` (RFC 7517 §4). */
  readonly publicJwk: Readonly<Record<string, string>>
  readonly publicKey: KeyObject
}

/** Our keys at one moment. */
export type OwnKeys = {
  /** What signs now; without its private key where that cannot be decrypted. */
  readonly current: OwnVerificationKey & { readonly privateKey: KeyObject | undefined }
  /** Published before it signs. */
  readonly next: OwnVerificationKey | undefined
  /** They sign no more, but tokens live that they have signed. */
  readonly previous: readonly (OwnVerificationKey & { readonly keepUntilMs: number })[]
}

/** The keys in force; undefined before any was made. Asked at every use, since they rotate. */
export type ReadOwnKeys = () => OwnKeys | undefined

/** Every key whose signatures count at a moment, in the order in which a key set lists them. */
export function acceptedKeys(
  keys: OwnKeys | undefined,
  nowMs: number,
): readonly OwnVerificationKey[] {
  if (keys === undefined) return []
  const previous = keys.previous.filter(({ keepUntilMs }) => keepUntilMs > nowMs)
  return [keys.current, ...(keys.next === undefined ? [] : [keys.next]), ...previous]
}
