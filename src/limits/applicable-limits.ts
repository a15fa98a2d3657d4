import { longestMs, type Period } from './calendar.ts'
import { countKey, type CountKind } from './count-key.ts'
import { keyPart } from './key.ts'
import {
  assertLimits,
  type LimitClass,
  type Quota,
  type Scope,
  type ScopeLimits,
  type WhenUnavailable,
} from './limit-class.ts'
import { describePolicies, type DescribedPolicy } from './rate-limit-fields.ts'

/** Whose request it is, and the class of what is requested. */
export type Subject = {
  readonly organizationId: string
  readonly principalId: string
  readonly limitClass: LimitClass
}

type Limit = {
  readonly scope: Scope
  /** What overrides and the log call it, such as `standard.user.requests`. */
  readonly name: string
  /** Where the count is kept. */
  readonly key: string
  readonly whenUnavailable: WhenUnavailable
}
export type WindowLimit = Limit & {
  /** Begins with the first request, counts any stretch of its length, or renews with the calendar. */
  readonly kind: 'fixed' | 'sliding' | Period
  readonly requests: number
  /** Its length; of a month, the longest there is. */
  readonly windowMs: number
  readonly warnAtPercent: readonly number[]
  /** What a process may take of it ahead; undefined where every request is counted by itself. */
  readonly tokenShare?: number | undefined
  /** Its names in the `RateLimit` fields, where those are sent. */
  readonly described?: DescribedPolicy
}
export type SlotLimit = Limit & { readonly concurrent: number }

type Limits = { readonly windows: readonly WindowLimit[]; readonly slots: readonly SlotLimit[] }

/** Every limit that one request must pass, each with the key of its count. */
export type ApplicableLimits = Limits & {
  /** What the request weighs in each window, though never more than all of one. */
  readonly cost: number
  /** Limits that are decided too, but refuse nothing; they count what those above let pass. */
  readonly shadow?: Limits | undefined
  /** Whether a process may take of one of the windows ahead. */
  readonly hasTokenShares: boolean
  /** Every slot that the request takes. */
  readonly leased: readonly SlotLimit[]
  /** Whose they are, where a window says when to warn. */
  readonly warnedOf?: Pick<Subject, 'organizationId' | 'principalId'> | undefined
}

/**
 * Another limit than the configured one, where there is one for a caller.
 *
 * @param principalId undefined for a limit that all of the organization share
 */
export type FindOverride = (
  organizationId: string,
  principalId: string | undefined,
  limitName: string,
) => number | undefined

export type FindLimits = (subject: Subject) => ApplicableLimits

type Options = {
  /** What is overridden now: another object as soon as anything is another. */
  readonly overrides?: (() => FindOverride) | undefined
  /** Whether limits are described for the `RateLimit` fields. */
  readonly describes?: boolean | undefined
  /** Processes that may each take a share of a window ahead; one where absent. */
  readonly replicas?: number | undefined
}

/**
 * Find the limits of a request. Their keys share the hash tag of the organization, so that Redis
 * Cluster keeps them on one node and one script can decide them.
 *
 * @throws {RangeError} where a class holds a limit that is not a positive whole number
 */
export function createFindLimits(keyPrefix: string, options: Options = {}): FindLimits {
  const { overrides = () => noOverride, describes = false, replicas = 1 } = options
  const prefix = keyPart(keyPrefix)
  let byClass = new WeakMap<LimitClass, Map<string, Remembered>>()
  let findOverride = overrides()

  return (subject) => {
    const current = overrides()
    if (current !== findOverride) {
      // The counts stay where they are: only what they are held against changes.
      findOverride = current
      byClass = new WeakMap()
    }
    const known = knownOf(subject.limitClass)
    const { organizationId, principalId } = subject
    const before = known.get(principalId)
    // By one name, since a name made of both would be made, and hashed, for each request.
    if (before?.organizationId === organizationId) return before.limits
    const limits = applicable(limitsOf(prefix, subject, { findOverride, replicas }), subject)
    const described = describes ? { ...limits, windows: describePolicies(limits.windows) } : limits
    if (known.size >= maxRemembered) known.clear()
    known.set(principalId, { organizationId, limits: described })
    return described
  }

  function knownOf(limitClass: LimitClass): Map<string, Remembered> {
    const known = byClass.get(limitClass)
    if (known !== undefined) return known
    assertLimits(limitClass)
    const none = new Map<string, Remembered>()
    byClass.set(limitClass, none)
    return none
  }
}

const noOverride: FindOverride = () => undefined

/** Of each class. Making the keys of a principal's limits takes longer than looking them up. */
const maxRemembered = 10_000

/** The limits of a principal, as a member of that organization. */
type Remembered = { readonly organizationId: string; readonly limits: ApplicableLimits }

/** A limit, and whether it refuses. */
type Found<Kind> = { readonly limit: Kind; readonly isShadow: boolean | undefined }
type FoundLimits = { readonly windows: Found<WindowLimit>[]; readonly slots: Found<SlotLimit>[] }

function limitsOf(
  prefix: string,
  subject: Subject,
  { findOverride, replicas }: { readonly findOverride: FindOverride; readonly replicas: number },
): FoundLimits {
  const { organizationId, principalId, limitClass } = subject
  const found: FoundLimits = { windows: [], slots: [] }
  const ownerOf = (scope: Scope): string | undefined => (scope === 'user' ? principalId : undefined)
  const keyOf = (scope: Scope, kind: CountKind, limit: readonly string[]): string =>
    countKey(prefix, { organizationId, principalId: ownerOf(scope), kind, limit })
  const allowed = (scope: Scope, name: string, configured: number): number =>
    findOverride(organizationId, ownerOf(scope), name) ?? configured

  const add = (scope: Scope, of: readonly string[], limits: ScopeLimits): void => {
    const name = [...of, scope].join('.')
    const { window, concurrent, whenUnavailable, isShadow, warnAtPercent = [] } = limits
    const common = { scope, whenUnavailable }
    if (window !== undefined) {
      const kind = window.isSliding === true ? 'sliding' : 'fixed'
      const requests = allowed(scope, `${name}.requests`, window.requests)
      const limit = {
        ...common,
        name: `${name}.requests`,
        key: keyOf(scope, kind, ['class', ...of]),
        kind,
        requests,
        windowMs: window.windowMs,
        warnAtPercent,
        tokenShare: usableShare(window.tokenShare, requests, replicas),
      } as const
      found.windows.push({ limit, isShadow })
    }
    if (concurrent === undefined) return
    const slots = { name: `${name}.concurrent`, key: keyOf(scope, 'slots', ['class', ...of]) }
    const limit = { ...common, ...slots, concurrent: allowed(scope, slots.name, concurrent) }
    found.slots.push({ limit, isShadow })
  }
  const addQuota = (quota: Quota): void => {
    const { scope, name, period, whenUnavailable, warnAtPercent = [] } = quota
    const limit: WindowLimit = {
      ...{ scope, name, whenUnavailable, warnAtPercent, kind: period },
      key: keyOf(scope, period, ['quota', name]),
      requests: allowed(scope, name, quota.limit),
      windowMs: longestMs[period],
    }
    found.windows.push({ limit, isShadow: quota.isShadow })
  }

  for (const scope of ['user', 'organization'] as const)
    add(scope, [limitClass.name], limitClass[scope])
  for (const rule of limitClass.rules ?? [])
    for (const scope of ['user', 'organization'] as const)
      add(scope, [limitClass.name, rule.name], rule[scope])
  for (const quota of limitClass.quotas ?? []) addQuota(quota)
  return found
}

/** None where an override leaves less than a share for each: one of them would take another's. */
function usableShare(
  share: number | undefined,
  requests: number,
  replicas: number,
): number | undefined {
  return share !== undefined && share * replicas <= requests ? share : undefined
}

function applicable({ windows, slots }: FoundLimits, subject: Subject): ApplicableLimits {
  const that = <Kind>(all: readonly Found<Kind>[], isShadow: boolean): readonly Kind[] =>
    all.flatMap((each) => ((each.isShadow ?? false) === isShadow ? each.limit : []))
  const shadow = { windows: that(windows, true), slots: that(slots, true) }
  const enforced = { windows: that(windows, false), slots: that(slots, false) }
  const hasShadow = shadow.windows.length + shadow.slots.length > 0
  const warns = enforced.windows.some(({ warnAtPercent }) => warnAtPercent.length > 0)
  const { organizationId, principalId, limitClass } = subject
  return {
    ...enforced,
    cost: limitClass.cost ?? 1,
    shadow: hasShadow ? shadow : undefined,
    hasTokenShares: enforced.windows.some(({ tokenShare }) => tokenShare !== undefined),
    leased: shadow.slots.length > 0 ? [...enforced.slots, ...shadow.slots] : enforced.slots,
    warnedOf: warns ? { organizationId, principalId } : undefined,
  }
}
