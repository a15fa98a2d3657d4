import { createHmac, createSecretKey, randomBytes, type KeyObject } from 'node:crypto'
import type { DirectoryLog } from './directory-log.ts'

/**
 * A key that digests of secrets are made with. It is kept apart from the database, so that whoever
 * reads the database alone cannot test guesses.
 */
export type Pepper = {
  /** Stored beside each digest that was made with the pepper. */
  readonly id: string
  readonly secret: string
}

/** New secrets use the current pepper; those of earlier peppers stay valid while it is listed. */
export type Peppers = { readonly current: Pepper; readonly previous: readonly Pepper[] }

export type SecretDigests = {
  /**
   * HMAC-SHA-256 of a secret under a pepper, 32 bytes. For a pepper that is not listed, and for
   * undefined, the work is the same and the digest equals no stored one.
   */
  readonly digestSecret: (pepperId: string | undefined, secret: string) => Buffer
  /** Digest a new secret under the current pepper. */
  readonly digestNew: (secret: string) => { readonly digest: Buffer; readonly pepperId: string }
}

/** @throws {Error} where two peppers have one id */
export function createSecretDigests(
  { current, previous }: Peppers,
  log: DirectoryLog,
): SecretDigests {
  const keys = new Map<string, KeyObject>()
  for (const { id, secret } of [current, ...previous]) {
    if (keys.has(id)) throw new Error(`Two peppers have the id ${id}`)
    keys.set(id, createSecretKey(secret, 'utf8'))
  }
  const matchesNothing = createSecretKey(randomBytes(32))
  const reported = new Set<string>()

  function digestSecret(pepperId: string | undefined, secret: string): Buffer {
    const key = pepperId === undefined ? matchesNothing : (keys.get(pepperId) ?? unknown(pepperId))
    return createHmac('sha256', key).update(secret).digest()
  }

  function unknown(pepperId: string): KeyObject {
    if (!reported.has(pepperId)) {
      reported.add(pepperId)
      log.error({ pepperId }, 'API keys were digested with a pepper that is not configured')
    }
    return matchesNothing
  }

  return {
    digestSecret,
    digestNew: (secret) => ({ digest: digestSecret(current.id, secret), pepperId: current.id }),
  }
}
