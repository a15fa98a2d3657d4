import { hash, randomBytes } from 'node:crypto'
import type { ApiKeyRecord, KeySecret } from './api-key.ts'

/** What a field presented when it was verified: the key, and which of its secrets. */
export type VerifiedSecret = { readonly record: ApiKeyRecord; readonly secret: KeySecret }

/** Authorization fields whose secrets were verified; see `createVerifiedSecrets`. */
export type VerifiedSecrets = {
  /** @returns undefined where the field was not verified, or not of late */
  readonly find: (authorization: string) => VerifiedSecret | undefined
  readonly remember: (authorization: string, verified: VerifiedSecret) => void
}

/** Some 300 bytes each; the oldest goes where there are more. */
const maxRemembered = 50_000

/**
 * Remember which fields carried the right secret of which record, so that a caller who comes again is
 * known by one digest of the field: no decoding, and no object of an HMAC, which costs more to
 * collect than to compute.
 *
 * What is kept is a digest, and not the field: memory that is read by others shows no secret. That it
 * is found tells nothing to those who have no valid secret, since only the whole of a valid one is
 * found; all others go the long way, which is the same for each of them. Whoever asks has to see to
 * it that the record still is the one that is in force.
 */
export function createVerifiedSecrets(): VerifiedSecrets {
  const salt = randomBytes(16).toString('base64url')
  const verified = new Map<string, VerifiedSecret>()
  const digestOf = (authorization: string): string => hash('sha256', salt + authorization, 'latin1')
  return {
    find: (authorization) => verified.get(digestOf(authorization)),
    remember(authorization, one) {
      verified.set(digestOf(authorization), one)
      if (verified.size <= maxRemembered) return
      const [oldest = ''] = verified.keys()
      verified.delete(oldest)
    },
  }
}
