import type { Period } from './calendar.ts'

/** What happens to one scope's limits while Redis cannot be asked. */
export type WhenUnavailable = 'local' | 'refuse' | 'admit'

/** How a limit is kept, whatever it counts. */
type Policy = {
  readonly whenUnavailable: WhenUnavailable
  /** Decided, counted and logged, but nothing is refused by it. */
  readonly isShadow?: boolean
  /** Say so in the log when so much of a window or quota is used; each 1 to 100. */
  readonly warnAtPercent?: readonly number[]
}

/** The limits of a user or of an organization. An absent one does not limit. */
export type ScopeLimits = Policy & {
  /**
   * At most so much in the time that the first request begins; where it slides, in any stretch of
   * that time.
   */
  readonly window?: {
    readonly requests: number
    readonly windowMs: number
    readonly isSliding?: boolean
    /** A process may take so much of it ahead, and admit from that without asking; not where it slides. */
    readonly tokenShare?: number
  }
  /** At most so many requests at the same time. */
  readonly concurrent?: number
}

export type Scope = 'user' | 'organization'

/** A limit that renews with the calendar. Classes that name the same one share its count. */
export type Quota = Policy & {
  readonly name: string
  readonly scope: Scope
  readonly limit: number
  readonly period: Period
}

/** Limits of some operations of a class, counted apart and in addition to those of the class. */
export type LimitRule = {
  readonly name: string
  readonly user: ScopeLimits
  readonly organization: ScopeLimits
}

/** Limits that API groups share by name. */
export type LimitClass = {
  readonly name: string
  readonly user: ScopeLimits
  readonly organization: ScopeLimits
  /** For callers who are not known; absent: those of all classes are counted together. */
  readonly address?: AddressLimit
  readonly rules?: readonly LimitRule[]
  readonly quotas?: readonly Quota[]
  /** What a request weighs in every window and quota, 1 where absent; a slot is one slot. */
  readonly cost?: number
}

/** How many requests an address may make without valid credentials. */
export type AddressLimit = { readonly requests: number; readonly windowSeconds: number }

/** @throws {RangeError} where a class holds a limit that is not a positive whole number */
export function assertLimits({ name, user, organization, rules, quotas, cost }: LimitClass): void {
  const scopes = [{ user, organization }, ...(rules ?? [])].flatMap((each) => [
    each.user,
    each.organization,
  ])
  const numbers = scopes.flatMap(({ window, concurrent }) => [
    window?.requests,
    window?.windowMs,
    concurrent,
  ])
  for (const value of [cost, ...numbers, ...(quotas ?? []).map(({ limit }) => limit)]) {
    if (value === undefined || (Number.isSafeInteger(value) && value > 0)) continue
    throw new RangeError(`Limit class ${name}: ${value} is not a positive whole number`)
  }
}
