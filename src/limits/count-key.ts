import { hash } from 'node:crypto'
import type { Period } from './calendar.ts'
import type { Scope } from './limit-class.ts'

/** What is kept under a key. */
export type CountKind = 'fixed' | 'sliding' | Period | 'slots'

/** Whose count it is, and of what. */
type CountOf = {
  readonly organizationId: string
  /** Undefined: all of the organization are counted together. */
  readonly principalId: string | undefined
  readonly kind: CountKind
  /** The class, with the rule where it is one's; or the quota. */
  readonly limit: readonly string[]
}

/**
 * The Redis key of a count: `prefix:{tag}`, a letter for its kind, and a digest of everything else.
 *
 * Names take more memory than what is counted, so they are as short as they can be without ever
 * meeting: the tag is 24 bits of the organization's digest, which parts a cluster well enough, and 66
 * bits more tell apart those that have it in common. Whatever ids are made of, none of it is in the key.
 */
export function countKey(prefix: string, of: CountOf): string {
  const { organizationId, principalId = null, kind, limit } = of
  const tag = hash('sha256', organizationId, 'base64url').slice(0, tagLength)
  const rest = JSON.stringify([organizationId, principalId, ...limit])
  const name = hash('sha256', rest, 'base64url').slice(0, nameLength)
  return `${prefix}:{${tag}}${letterOf(kind, principalId === null ? 'organization' : 'user')}${name}`
}

const tagLength = 4

/** With the prefix `gatehouse`, 28 bytes: one more and the allocator takes 16 more for each key. */
const nameLength = 11

const letters: Readonly<Record<CountKind, string>> = {
  fixed: 'w',
  sliding: 's',
  hour: 'h',
  day: 'd',
  month: 'm',
  slots: 'l',
}

/** Capital for what an organization shares, so that whoever looks into Redis can tell. */
function letterOf(kind: CountKind, scope: Scope): string {
  return scope === 'user' ? letters[kind] : letters[kind].toUpperCase()
}
