import { hash } from 'node:crypto'

/** SHA-256 of a token, and of what it was verified against. */
export type TokenDigest = string & { readonly digestOf: 'token' }

/** What was found out about tokens, by their digests: no text of a token is kept. */
export type VerifiedTokens<Finding> = {
  /** What is known of a token, or undefined. */
  readonly find: (digest: TokenDigest) => Finding | undefined
  /** Remember a finding until the token ends, but no longer than a minute. */
  readonly remember: (digest: TokenDigest, finding: Finding, extent: Extent) => void
}

type Extent = {
  /** When the token ends, in milliseconds since the epoch. */
  readonly expiresAtMs: number
  /** What the finding takes in memory, roughly. */
  readonly bytes: number
}

type Parts = {
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Default: 20,000. */
  readonly maxEntries?: number
  /** Default: 64 MiB. */
  readonly maxBytes?: number
}

/** How long the tokens of a withdrawn key may live on. */
const maxAgeMs = 60_000

/** What an entry takes besides its finding. */
const entryBytes = 200

/** Digest a token together with the circumstances that it was verified under. */
export function digestToken(token: string, circumstances: string): TokenDigest {
  return hash('sha256', `${circumstances}\n${token}`, 'base64url') as TokenDigest
}

/**
 * Remember findings about tokens. When room is needed, the oldest goes that was not used since it
 * was last passed over (second chance).
 */
export function createVerifiedTokens<Finding>(parts: Parts): VerifiedTokens<Finding> {
  const { now, maxEntries = 20_000, maxBytes = 64 * 1024 * 1024 } = parts
  const entries = new Map<
    TokenDigest,
    {
      readonly finding: Finding
      readonly forgetAtMs: number
      readonly bytes: number
      isUsed: boolean
    }
  >()
  let bytesHeld = 0
  return { find, remember }

  function find(digest: TokenDigest): Finding | undefined {
    const entry = entries.get(digest)
    if (entry === undefined) return undefined
    if (entry.forgetAtMs <= now()) {
      forget(digest)
      return undefined
    }
    entry.isUsed = true
    return entry.finding
  }

  function remember(digest: TokenDigest, finding: Finding, extent: Extent): void {
    forget(digest)
    const bytes = extent.bytes + entryBytes
    const forgetAtMs = Math.min(extent.expiresAtMs, now() + maxAgeMs)
    entries.set(digest, { finding, forgetAtMs, bytes, isUsed: false })
    bytesHeld += bytes
    for (const [oldest, entry] of entries) {
      if (entries.size <= maxEntries && bytesHeld <= maxBytes) return
      if (!entry.isUsed) forget(oldest)
      else {
        // It comes again after all others, unused by then, so this ends.
        entry.isUsed = false
        entries.delete(oldest)
        entries.set(oldest, entry)
      }
    }
  }

  function forget(digest: TokenDigest): void {
    bytesHeld -= entries.get(digest)?.bytes ?? 0
    entries.delete(digest)
  }
}
