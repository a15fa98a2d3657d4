import type { LimitClass } from '../../src/limits/admission.ts'

// The rules of admission, as plainly as they can be said. Nothing of `src/limits` decides here: what
// the back ends answer is held against this.

/** What a caller sees of a decision. */
export type Expected = {
  readonly verdict: string
  /** The header fields; what a refusal for want of a slot says without a window is not modelled. */
  readonly fields: Readonly<Record<string, number>> | undefined
  /** Where several windows refuse: what each would say, had it been alone. */
  readonly others: readonly Pick<Expected, 'verdict' | 'fields'>[]
  /** Shadow limits that would have refused, in the order of their names. */
  readonly wouldDeny: readonly string[]
  readonly release: () => void
}

export type Asked = {
  readonly organizationId: string
  readonly principalId: string
  readonly limitClass: LimitClass
}

type Parts = {
  /** Milliseconds since the epoch, on the clock of whoever decides. */
  readonly now: () => number
  /** When a lease lapses that is not renewed; Infinity where it ends with its process. */
  readonly leaseMs: number
  /** What the limit is for whoever asks, where it is not the configured one. */
  readonly overrideOf: (asked: Asked, scope: string, limitName: string) => number | undefined
}

type Window = {
  readonly name: string
  readonly scope: string
  readonly key: string
  readonly kind: string
  readonly limit: number
  readonly lengthMs: number
  readonly isShadow: boolean
}
type Slot = Pick<Window, 'name' | 'scope' | 'key' | 'limit' | 'isShadow'>
type Counted = { readonly weight: number; readonly leavesAtMs: number }
type Lease = { readonly lapsesAtMs: number; isReleased: boolean }

export function createModel(parts: Parts): (asked: Asked) => Expected {
  const { now } = parts
  const counted = new Map<string, readonly Counted[]>()
  const leases = new Map<string, readonly Lease[]>()

  return (asked) => {
    const { windows, slots } = limitsOf(asked, parts.overrideOf)
    const cost = asked.limitClass.cost ?? 1
    const enforced = windows.filter(({ isShadow }) => !isShadow)
    const exhausted = enforced.filter((window) => !hasRoom(window, cost))
    if (exhausted.length > 0) return refusal(exhausted, cost)
    const full = slots.find((slot) => !slot.isShadow && isFull(slot))
    if (full !== undefined) {
      const fields = binding(enforced, cost)
      const verdict = `${full.scope} concurrency`
      return { ...nothing, verdict, fields: fields && { ...fields, 'Retry-After': 1 } }
    }
    const wouldDeny = [
      ...windows.filter((window) => window.isShadow && !hasRoom(window, cost)),
      ...slots.filter((slot) => slot.isShadow && isFull(slot)),
    ].map(({ name }) => name)
    for (const window of windows) add(window, cost)
    const lease = { lapsesAtMs: now() + parts.leaseMs, isReleased: false }
    for (const { key } of slots) leases.set(key, [...(leases.get(key) ?? []), lease])
    return {
      ...nothing,
      verdict: 'admitted',
      fields: binding(enforced, cost) ?? {},
      wouldDeny: wouldDeny.toSorted(),
      release: () => {
        lease.isReleased = true
      },
    }
  }

  function alive({ key }: Window): readonly Counted[] {
    return (counted.get(key) ?? []).filter(({ leavesAtMs }) => leavesAtMs > now())
  }

  function used(window: Window): number {
    return alive(window).reduce((sum, { weight }) => sum + weight, 0)
  }

  function hasRoom(window: Window, cost: number): boolean {
    return used(window) + Math.min(cost, window.limit) <= window.limit
  }

  function add(window: Window, cost: number): void {
    const before = alive(window)
    const weight = Math.min(cost, window.limit)
    const last = before.at(-1)
    const leavesAtMs = leavingOf(window, last?.leavesAtMs, now())
    counted.set(window.key, [...before, { weight, leavesAtMs }])
  }

  /** Those that lapsed are looked for where the set is full. */
  function isFull({ key, limit }: Slot): boolean {
    const held = (leases.get(key) ?? []).filter(({ isReleased }) => !isReleased)
    if (held.length < limit) return false
    const living = held.filter(({ lapsesAtMs }) => lapsesAtMs > now())
    leases.set(key, living)
    return living.length >= limit
  }

  /** When there is room again; where there is, when the first of what is counted leaves. */
  function waitMs(window: Window, cost: number): number {
    const entries = alive(window)
    const need = Math.min(cost, window.limit)
    for (const { leavesAtMs } of entries) {
      const left = entries.filter((each) => each.leavesAtMs > leavesAtMs)
      const stillUsed = left.reduce((sum, { weight }) => sum + weight, 0)
      if (stillUsed + need <= window.limit) return leavesAtMs - now()
    }
    // Nothing is counted: the whole length of a window that has not begun.
    return window.kind === 'sliding' ? window.lengthMs : leavingOf(window, undefined, now()) - now()
  }

  function binding(
    windows: readonly Window[],
    cost: number,
  ): Readonly<Record<string, number>> | undefined {
    const states = windows.map((window) => ({
      window,
      remaining: Math.max(0, window.limit - used(window)),
      ms: waitMs(window, cost),
    }))
    const [least] = states.toSorted((a, b) => a.remaining - b.remaining || b.ms - a.ms)
    if (least === undefined) return undefined
    return fieldsOf(least.window.limit, least.remaining, least.ms)
  }

  function refusal(exhausted: readonly Window[], cost: number): Expected {
    const all = exhausted
      .map((window) => ({ window, ms: waitMs(window, cost) }))
      .toSorted((a, b) => b.ms - a.ms)
      .map(({ window, ms }) => {
        const fields = fieldsOf(window.limit, Math.max(0, window.limit - used(window)), ms)
        const retry = { 'Retry-After': fields['X-RateLimit-Reset'] ?? 0 }
        const reason = window.kind === 'fixed' || window.kind === 'sliding' ? 'rate' : 'quota'
        return { verdict: `${window.scope} ${reason}`, fields: { ...fields, ...retry } }
      })
    const [longest, ...others] = all
    if (longest === undefined) throw new Error('Nothing is exhausted')
    return { ...nothing, ...longest, others }
  }
}

const nothing = { others: [], wouldDeny: [], release: () => undefined }

function fieldsOf(limit: number, remaining: number, ms: number): Record<string, number> {
  return {
    'X-RateLimit-Limit': limit,
    'X-RateLimit-Remaining': remaining,
    'X-RateLimit-Reset': Math.max(1, Math.ceil(ms / 1_000)),
  }
}

/** When what is counted at a moment counts no more. */
function leavingOf({ kind, lengthMs }: Window, last: number | undefined, atMs: number): number {
  const at = new Date(atMs)
  const [year, month, day] = [at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate()]
  switch (kind) {
    case 'sliding': {
      const tenthMs = Math.ceil(lengthMs / 10)
      const leavesAtMs = (Math.floor(atMs / tenthMs) + 1) * tenthMs + lengthMs
      return Math.max(leavesAtMs, last ?? 0)
    }
    case 'hour':
      return last ?? Date.UTC(year, month, day, at.getUTCHours() + 1)
    case 'day':
      return last ?? Date.UTC(year, month, day + 1)
    case 'month':
      return last ?? Date.UTC(year, month + 1)
    default:
      return last ?? atMs + lengthMs
  }
}

function limitsOf(asked: Asked, overrideOf: Parts['overrideOf']) {
  const { name, user, organization, rules = [], quotas = [] } = asked.limitClass
  const windows: Window[] = []
  const slots: Slot[] = []
  const of = (scope: string): string =>
    scope === 'user' ? `${asked.organizationId} ${asked.principalId}` : asked.organizationId
  const scopes = [
    { name, user, organization },
    ...rules.map((rule) => ({ ...rule, name: `${name}.${rule.name}` })),
  ]
  for (const each of scopes) {
    for (const scope of ['user', 'organization'] as const) {
      const { window, concurrent, isShadow = false } = each[scope]
      const common = { scope, isShadow, key: `${each.name} ${of(scope)}` }
      if (window !== undefined) {
        const limitName = `${each.name}.${scope}.requests`
        const limit = overrideOf(asked, scope, limitName) ?? window.requests
        const kind = window.isSliding === true ? 'sliding' : 'fixed'
        windows.push({ ...common, name: limitName, kind, limit, lengthMs: window.windowMs })
      }
      if (concurrent === undefined) continue
      const limitName = `${each.name}.${scope}.concurrent`
      slots.push({
        ...common,
        name: limitName,
        limit: overrideOf(asked, scope, limitName) ?? concurrent,
      })
    }
  }
  for (const { name: quota, scope, limit, period, isShadow = false } of quotas) {
    const common = { name: quota, scope, key: `quota ${quota} ${of(scope)}`, isShadow }
    windows.push({
      ...common,
      kind: period,
      limit: overrideOf(asked, scope, quota) ?? limit,
      lengthMs: 0,
    })
  }
  return { windows, slots }
}
