import type { ApplicableLimits, WindowLimit } from './applicable-limits.ts'
import type { Log } from './limits-log.ts'
import { weightIn } from './outcome.ts'
import type { Verdict } from './verdict.ts'

/** Say in the log where an admitted request has used a limit to a configured part. */
export type NoteUse = (limits: ApplicableLimits, verdict: Verdict) => void

type Parts = {
  readonly log: Log
  /** Monotonic milliseconds. */
  readonly now: () => number
}

/** More windows that slide are not remembered: at worst they are warned of again. */
const maxRemembered = 10_000

/**
 * Warn once per window and limit, whichever of several processes it is: what remains of a window is
 * told to each request, and only one of them goes past the part. Use of a window that slides goes
 * up and down, so each process remembers for the length of it that it has warned.
 */
export function createUsageWarnings({ log, now }: Parts): NoteUse {
  const warnedUntilMs = new Map<string, number>()

  return (limits, { windows: states, deniedBy }) => {
    if (limits.warnedOf === undefined || deniedBy !== undefined) return
    for (const [i, { remaining }] of states.entries()) {
      const window = limits.windows[i]
      if (window === undefined) continue
      const used = window.requests - remaining
      const { name: limit, scope, requests, warnAtPercent } = window
      const before = used - weightIn(window, limits.cost)
      const percent = passedPart(requests, warnAtPercent, before, used)
      if (percent === undefined || isKnown(window, percent)) continue
      const use = { limit, scope, ...limits.warnedOf, percent, used, allowed: requests }
      log.warn(use, 'a limit is used up to a part that was to be told')
    }
  }

  function isKnown({ kind, key, windowMs }: WindowLimit, percent: number): boolean {
    if (kind !== 'sliding') return false
    const name = `${key} ${percent}`
    const isKnownStill = (warnedUntilMs.get(name) ?? 0) > now()
    if (warnedUntilMs.size >= maxRemembered) warnedUntilMs.clear()
    if (!isKnownStill) warnedUntilMs.set(name, now() + windowMs)
    return isKnownStill
  }
}

/** The highest of the parts that one request has gone past. */
export function passedPart(
  allowed: number,
  warnAtPercent: readonly number[],
  before: number,
  after: number,
): number | undefined {
  const parts = warnAtPercent.filter((percent) => {
    const part = Math.ceil((allowed * percent) / 100)
    return before < part && part <= after
  })
  return parts.length === 0 ? undefined : Math.max(...parts)
}
