import type { ApplicableLimits, WindowLimit } from './applicable-limits.ts'
import type { Period } from './calendar.ts'
import type { Scope } from './limit-class.ts'
import type { DescribedPolicy } from './rate-limit-fields.ts'
import type { Verdict, WindowState } from './verdict.ts'

/** The right to be served now. */
export type Permit = {
  /** Give it back, when the response has ended in whatever way. Only the first call counts. */
  readonly release: () => void
}

/** The limit that binds next, as the `X-RateLimit-*` fields describe it. */
export type LimitState = {
  readonly limit: number
  readonly remaining: number
  readonly resetSeconds: number
  /** Where the `RateLimit` fields are sent too. */
  readonly described?: DescribedPolicy | undefined
}

/** Whether a request may pass now. */
export type Admission =
  | {
      readonly kind: 'admitted'
      /** Undefined where no rate applies. */
      readonly limit: LimitState | undefined
      readonly permit: Permit
      /** Whether this process decided alone because Redis could not be asked. */
      readonly degraded: boolean
      /** The names of shadow limits that would have refused it, if any. */
      readonly wouldDeny?: readonly string[] | undefined
    }
  | {
      readonly kind: 'refused'
      readonly reason: 'rate' | 'concurrency' | 'quota'
      /** The quota, where one refuses. */
      readonly quota?: { readonly name: string; readonly period: Period } | undefined
      readonly scope: Scope | 'address'
      readonly limit: LimitState
      /** Sufficient: after that long the request is admitted if nobody else took the place. */
      readonly retryAfterSeconds: number
    }
  /** Redis cannot be asked, and a limit says that nothing passes without it. */
  | { readonly kind: 'unavailable' }

type Refusal = Extract<Admission, { kind: 'refused' }>

/** Of a request that holds no slot, so that there is nothing to give back. */
export const nothingHeld: Permit = { release: () => undefined }

/**
 * Turn a verdict about limits into what becomes of the request.
 *
 * @param hold takes the slots; called only where the request is admitted
 */
export function outcome(
  limits: ApplicableLimits,
  verdict: Verdict,
  hold: () => Permit,
  degraded: boolean,
): Admission {
  if (verdict.deniedBy !== undefined) return refusal(limits, verdict.deniedBy, verdict)
  const limit = bindingLimit(limits.windows, verdict.windows)
  const { wouldDeny } = verdict
  return wouldDeny === undefined
    ? { kind: 'admitted', limit, permit: hold(), degraded }
    : { kind: 'admitted', limit, permit: hold(), degraded, wouldDeny }
}

/** What a cost counts as in a window: never more than the whole of it. */
export function weightIn({ requests }: WindowLimit, cost: number): number {
  return cost < requests ? cost : requests
}

/** The limit that binds next: the window with the fewest requests left, the longest of equals. */
export function bindingLimit(
  limits: readonly WindowLimit[],
  states: readonly WindowState[],
): LimitState | undefined {
  let binding: { readonly limit: WindowLimit; readonly state: WindowState } | undefined
  let place = 0
  for (const state of states) {
    const limit = limits[place]
    place += 1
    if (limit === undefined) continue
    if (binding === undefined || bindsBefore(state, binding.state)) binding = { limit, state }
  }
  return binding && limitState(binding.limit, binding.state)
}

/** Of two limits, either of which may be none, the one that binds next. */
export function bindingOf(
  one: LimitState | undefined,
  other: LimitState | undefined,
): LimitState | undefined {
  if (one === undefined || other === undefined) return one ?? other
  if (one.remaining !== other.remaining) return one.remaining < other.remaining ? one : other
  return one.resetSeconds >= other.resetSeconds ? one : other
}

function bindsBefore(a: WindowState, b: WindowState): boolean {
  return a.remaining < b.remaining || (a.remaining === b.remaining && a.msToReset > b.msToReset)
}

function limitState(window: WindowLimit, { remaining, msToReset }: WindowState): LimitState {
  const { requests: limit, described } = window
  const resetSeconds = wholeSeconds(msToReset)
  return described === undefined
    ? { limit, remaining, resetSeconds }
    : { limit, remaining, resetSeconds, described }
}

/** Rounded up, so that whoever waits that long has waited long enough; never 0. */
export function wholeSeconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1000))
}

/** Say no, by the verdict of a back end. */
function refusal(limits: ApplicableLimits, deniedBy: number, verdict: Verdict): Refusal {
  const window = limits.windows[deniedBy]
  if (window !== undefined) return rateRefusal(exhausted(limits, verdict.windows))
  const slot = limits.slots[deniedBy - limits.windows.length]
  if (slot === undefined) throw new RangeError(`No limit at place ${deniedBy} was asked about`)
  return {
    kind: 'refused',
    reason: 'concurrency',
    scope: slot.scope,
    limit: bindingLimit(limits.windows, verdict.windows) ?? {
      limit: slot.concurrent,
      remaining: 0,
      resetSeconds: 1,
    },
    // A slot comes free at any time.
    retryAfterSeconds: 1,
  }
}

/** A window without room for what was asked, what is left of it, and when there is room again. */
export type Exhausted = WindowState & { readonly window: WindowLimit }

function exhausted(
  { windows, cost }: ApplicableLimits,
  states: readonly WindowState[],
): readonly Exhausted[] {
  return windows.flatMap((window, i) => {
    const state = states[i]
    return state !== undefined && state.remaining < weightIn(window, cost)
      ? [{ window, ...state }]
      : []
  })
}

/** Say no because of windows; the longest counts, since the request passes after that one only. */
export function rateRefusal(all: readonly Exhausted[]): Refusal {
  const longest = all.reduce((a, b) => (b.msToReset > a.msToReset ? b : a))
  const { window } = longest
  const limit = limitState(window, longest)
  const { resetSeconds: retryAfterSeconds } = limit
  const common = { kind: 'refused', scope: window.scope, limit, retryAfterSeconds } as const
  const { kind, name } = window
  return kind === 'fixed' || kind === 'sliding'
    ? { ...common, reason: 'rate' }
    : { ...common, reason: 'quota', quota: { name, period: kind } }
}
