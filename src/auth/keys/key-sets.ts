import type { KeySource } from './discovery.ts'
import { createKeySet, type KeySetParts } from './key-set.ts'
import type { FindKey } from './verification-key.ts'

export type KeySets = {
  /** The keys of an issuer, fetched when the first is asked for. */
  readonly keysOf: (source: KeySource) => FindKey
}

/** Key sets that are remembered where nothing else is said. */
const defaultMaxIssuers = 1000

/**
 * Remember the key sets of issuers, those that were used last. One issuer with two addresses is two:
 * who writes an address must not put keys under an issuer that another organization trusts.
 */
export function createKeySets(parts: KeySetParts & { readonly maxIssuers?: number }): KeySets {
  const { maxIssuers = defaultMaxIssuers } = parts
  const sets = new Map<string, FindKey>()
  return {
    keysOf: (source) => (kid) => setOf(source)(kid),
  }

  function setOf(source: KeySource): FindKey {
    const name = JSON.stringify([source.issuer, source.jwksUri])
    const set = sets.get(name) ?? createKeySet(source, parts)
    sets.delete(name)
    sets.set(name, set)
    if (sets.size > maxIssuers) dropOldest()
    return set
  }

  function dropOldest(): void {
    for (const oldest of sets.keys()) {
      sets.delete(oldest)
      return
    }
  }
}
