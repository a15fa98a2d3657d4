import type { ApplicableLimits, SlotLimit, WindowLimit } from './applicable-limits.ts'
import { weightIn } from './outcome.ts'
import type { Verdict, WindowState } from './verdict.ts'
import { current, plus, stateOf, type Count } from './window-counts.ts'

/** Limits kept in this process: the same decisions as `lua/admit.lua`, for one process. */
export type InProcessLimits = {
  /** Decide and, where the request is admitted, count it; the slots are taken by holding a lease. */
  readonly decide: (limits: ApplicableLimits) => Verdict
  /** What is counted in a window. */
  readonly used: (window: WindowLimit) => number
  /** Forget every window. */
  readonly clear: () => void
}

type Parts = {
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** Milliseconds since the epoch: by these, calendars and windows that slide go, as in Redis. */
  readonly wallClock: () => number
  /** How many slots of a key are taken. */
  readonly occupied: (slotKey: string) => number
}

type Kept = { readonly count: Count; readonly window: WindowLimit }

/** Below this many windows, looking for lapsed ones is not worth it. */
const fewWindows = 1_024

/**
 * Keep limits in this process.
 *
 * rate-limiter-flexible does not carry these: it consumes key by key, each in a promise of its own,
 * so several keys cannot be decided all or nothing with it, and what one key consumed before
 * another refused would have to be given back. It does carry the limiter of addresses, which has
 * one key.
 */
export function createInProcessLimits({ now, wallClock, occupied }: Parts): InProcessLimits {
  const kept = new Map<string, Kept>()
  let sweepAbove = fewWindows

  return {
    decide({ windows, slots, cost, shadow }) {
      const before = windows.map(countOf)
      const deniedBy = denialOf(windows, slots, before, cost)
      if (deniedBy !== undefined) {
        return { deniedBy, windows: windows.map((window, i) => state(window, before[i], cost)) }
      }
      const states = windows.map((window, i) => state(window, add(window, before[i], cost), cost))
      const wouldDeny = shadow && observe(shadow, cost)
      sweep()
      return { deniedBy, windows: states, wouldDeny }
    },
    used: (window) => countOf(window).used,
    clear() {
      kept.clear()
    },
  }

  function clockOf({ kind }: WindowLimit): number {
    return kind === 'fixed' ? now() : wallClock()
  }

  function countOf(window: WindowLimit): Count {
    return current(kept.get(window.key)?.count, window, clockOf(window))
  }

  function state(window: WindowLimit, count: Count | undefined, cost: number): WindowState {
    return stateOf(count ?? countOf(window), window, cost, clockOf(window))
  }

  function add(window: WindowLimit, before: Count | undefined, cost: number): Count {
    const count = plus(before ?? countOf(window), window, cost, clockOf(window))
    kept.set(window.key, { count, window })
    return count
  }

  function denialOf(
    windows: readonly WindowLimit[],
    slots: readonly SlotLimit[],
    counts: readonly Count[],
    cost: number,
  ): number | undefined {
    const full = windows.findIndex((window, i) => !hasRoom(window, counts[i], cost))
    if (full !== -1) return full
    const slot = slots.findIndex(({ key, concurrent }) => occupied(key) >= concurrent)
    return slot === -1 ? undefined : windows.length + slot
  }

  /** Everything is counted, also what would have been denied: it was admitted all the same. */
  function observe(
    { windows, slots }: Pick<ApplicableLimits, 'windows' | 'slots'>,
    cost: number,
  ): readonly string[] | undefined {
    const counts = windows.map(countOf)
    const denying = [
      ...windows.filter((window, i) => !hasRoom(window, counts[i], cost)),
      ...slots.filter(({ key, concurrent }) => occupied(key) >= concurrent),
    ]
    for (const [i, window] of windows.entries()) add(window, counts[i], cost)
    return denying.length === 0 ? undefined : denying.map(({ name }) => name)
  }

  /** Each sweep waits until the number of windows has doubled, so its cost is spread over them. */
  function sweep(): void {
    if (kept.size <= sweepAbove) return
    for (const [key, { count, window }] of kept)
      if (count.resetAtMs <= clockOf(window)) kept.delete(key)
    sweepAbove = Math.max(fewWindows, 2 * kept.size)
  }
}

function hasRoom(window: WindowLimit, count: Count | undefined, cost: number): boolean {
  return (count?.used ?? 0) + weightIn(window, cost) <= window.requests
}
