import { timingSafeEqual } from 'node:crypto'
import type { KeySecret } from './api-key.ts'

/**
 * Digest a presented secret as stored secrets are digested: HMAC-SHA-256, 32 bytes, under every
 * configured pepper. The answer gives the digest under one of them; for an unknown pepper, and for
 * undefined, it equals no stored digest.
 */
export type DigestSecret = (secret: string) => (pepperId: string | undefined) => Buffer

/**
 * Find the stored secret that a presented one equals.
 *
 * The work is the same for every input: one digest for each configured pepper and two comparisons
 * in constant time, however many secrets the key has and whether there is a key at all. Otherwise
 * the time of the answer would tell which key ids exist, and which of them are being rotated.
 *
 * @param stored at most two secrets; the rest is not looked at
 */
export function matchSecret(
  stored: readonly KeySecret[],
  presented: string,
  digestSecret: DigestSecret,
): KeySecret | undefined {
  const digestUnder = digestSecret(presented)
  const first = matchesSlot(stored[0], digestUnder)
  const second = matchesSlot(stored[1], digestUnder)
  if (first) return stored[0]
  return second ? stored[1] : undefined
}

function matchesSlot(
  stored: KeySecret | undefined,
  digestUnder: ReturnType<DigestSecret>,
): boolean {
  const digest = digestUnder(stored?.pepperId)
  const equal = timingSafeEqual(digest, stored?.digest ?? emptySlotDigest)
  return equal && stored !== undefined
}

/** Stands where no secret is; what the comparison says then does not count. */
const emptySlotDigest = Buffer.alloc(32)
