import { keyPart } from './key.ts'

/** What happens to one scope's limits while Redis cannot be asked. */
type WhenUnavailable = 'local' | 'refuse' | 'admit'

/** The limits of a user or of an organization. An absent one does not limit. */
type ScopeLimits = {
  /** At most so many requests in the time that the first of them begins. */
  readonly window?: { readonly requests: number; readonly windowMs: number }
  /** At most so many requests at the same time. */
  readonly concurrent?: number
  readonly whenUnavailable: WhenUnavailable
}

/** Limits that API groups share by name. */
export type LimitClass = {
  readonly name: string
  readonly user: ScopeLimits
  readonly organization: ScopeLimits
  /** For callers who are not known; absent: those of all classes are counted together. */
  readonly address?: AddressLimit
}

/** How many requests an address may make without valid credentials. */
export type AddressLimit = { readonly requests: number; readonly windowSeconds: number }

/** Whose request it is, and the class of what is requested. */
export type Subject = {
  readonly organizationId: string
  readonly principalId: string
  readonly limitClass: LimitClass
}

export type Scope = 'user' | 'organization'

type Limit = {
  readonly scope: Scope
  /** Where the count is kept. */
  readonly key: string
  readonly whenUnavailable: WhenUnavailable
}
export type WindowLimit = Limit & { readonly requests: number; readonly windowMs: number }
export type SlotLimit = Limit & { readonly concurrent: number }

/** Every limit that one request must pass, each with the key of its count. */
export type ApplicableLimits = {
  readonly windows: readonly WindowLimit[]
  readonly slots: readonly SlotLimit[]
}

/**
 * Find the limits of a request. Their keys share the hash tag of the organization, so that Redis
 * Cluster keeps them on one node and one script can decide them.
 *
 * @throws {RangeError} where a class holds a limit that is not a positive whole number
 */
export function createFindLimits(keyPrefix: string): (subject: Subject) => ApplicableLimits {
  const prefix = keyPart(keyPrefix)
  const byClass = new WeakMap<LimitClass, Map<string, ApplicableLimits>>()

  return (subject) => {
    const known = knownOf(subject.limitClass)
    const name = `${subject.organizationId}\n${subject.principalId}`
    const before = known.get(name)
    if (before !== undefined) return before
    const limits = limitsOf(subject)
    if (known.size >= maxRemembered) known.clear()
    known.set(name, limits)
    return limits
  }

  function knownOf(limitClass: LimitClass): Map<string, ApplicableLimits> {
    const known = byClass.get(limitClass)
    if (known !== undefined) return known
    assertLimits(limitClass)
    const none = new Map<string, ApplicableLimits>()
    byClass.set(limitClass, none)
    return none
  }

  function limitsOf({ organizationId, principalId, limitClass }: Subject): ApplicableLimits {
    const root = `${prefix}:{${keyPart(organizationId)}}:${keyPart(limitClass.name)}`
    const windows: WindowLimit[] = []
    const slots: SlotLimit[] = []
    const add = (scope: Scope, key: string, limits: ScopeLimits): void => {
      const { window, concurrent, whenUnavailable } = limits
      if (window !== undefined)
        windows.push({ scope, key: `${key}:window`, whenUnavailable, ...window })
      if (concurrent !== undefined)
        slots.push({ scope, key: `${key}:slots`, whenUnavailable, concurrent })
    }
    add('user', `${root}:user:${keyPart(principalId)}`, limitClass.user)
    add('organization', `${root}:organization`, limitClass.organization)
    return { windows, slots }
  }
}

/** Of each class. Making the keys of a principal's limits takes longer than looking them up. */
const maxRemembered = 10_000

function assertLimits({ name, user, organization }: LimitClass): void {
  for (const { window, concurrent } of [user, organization]) {
    for (const value of [window?.requests, window?.windowMs, concurrent]) {
      if (value === undefined || (Number.isSafeInteger(value) && value > 0)) continue
      throw new RangeError(`Limit class ${name}: ${value} is not a positive whole number`)
    }
  }
}
