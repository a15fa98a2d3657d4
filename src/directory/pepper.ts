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
   * HMAC-SHA-256 of a secret, 32 bytes, under every listed pepper: the work is the same whichever
   * of them is asked for. For a pepper that is not listed, and for undefined, the digest equals no
   * stored one.
   */
  readonly digestSecret: (secret: string) => (pepperId: string | undefined) => Buffer
  /** Digest a new secret under the current pepper. */
  readonly digestNew: (secret: string) => { readonly digest: Buffer; readonly pepperId: string }
}

/** @throws {Error} where two peppers have one id */
export function createSecretDigests(
  { current, previous }: Peppers,
  log: DirectoryLog,
): SecretDigests {
  const peppers = [current, ...previous].map(({ id, secret }) => ({
    id,
    key: createSecretKey(secret, 'utf8'),
  }))
  reportRepeated(peppers)
  const matchesNothing = randomBytes(32)
  const reported = new Set<string>()

  function unknown(pepperId: string | undefined): Buffer {
    if (pepperId !== undefined && !reported.has(pepperId)) {
      reported.add(pepperId)
      log.error({ pepperId }, 'API keys were digested with a pepper that is not configured')
    }
    return matchesNothing
  }

  return {
    digestSecret(secret) {
      const digests = peppers.map(({ key }) => hmac(key, secret))
      return (pepperId) =>
        digests[peppers.findIndex(({ id }) => id === pepperId)] ?? unknown(pepperId)
    },
    digestNew: (secret) => ({
      digest: hmac(createSecretKey(current.secret, 'utf8'), secret),
      pepperId: current.id,
    }),
  }
}

function reportRepeated(peppers: readonly { readonly id: string }[]): void {
  for (const [id, { length }] of Map.groupBy(peppers, (pepper) => pepper.id)) {
    if (length > 1) throw new Error(`Two peppers have the id ${id}`)
  }
}

function hmac(key: KeyObject, secret: string): Buffer {
  return createHmac('sha256', key).update(secret).digest()
}
