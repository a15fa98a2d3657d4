import type { WindowLimit } from './applicable-limits.ts'
import type { Exhausted } from './outcome.ts'
import type { WindowState } from './verdict.ts'

/** Windows that Redis said are exhausted, so that refusing costs no round trip until they reset. */
export type ExhaustedWindows = {
  /** Remember those of a decision's windows that are exhausted after it. */
  readonly remember: (
    windows: readonly WindowLimit[],
    states: readonly WindowState[],
    decided: Decided,
  ) => void
  /** Those of these windows that are known to be exhausted now. */
  readonly among: (windows: readonly WindowLimit[]) => readonly Exhausted[]
}

/** Redis decided between these moments. */
type Decided = { readonly askedAtMs: number; readonly answeredAtMs: number }

/** When a remembered window resets lies between these two. */
type Memory = { readonly notBeforeMs: number; readonly notAfterMs: number }

/** More than that at a time are not remembered: the oldest go, and are asked about again. */
const maxRemembered = 100_000

/** A longer window is asked about again after this time, since clocks drift and Redis may forget. */
const maxMemoryMs = 10_000

/** Clocks of two machines differ in speed by far less than this (NTP slews by 0.0005 at most). */
const drift = 0.001

const none: readonly Exhausted[] = []

/** @param now monotonic milliseconds */
export function createExhaustedWindows(now: () => number): ExhaustedWindows {
  const memories = new Map<string, Memory>()

  return {
    remember(windows, states, { askedAtMs, answeredAtMs }) {
      for (const [i, { remaining, msToReset }] of states.entries()) {
        const window = windows[i]
        if (remaining > 0 || window === undefined) continue
        // Counted from the moment of asking and one millisecond short (Redis's are whole): a window
        // must not be refused here when it is open there.
        const certainMs = Math.min(msToReset * (1 - drift) - 1, maxMemoryMs)
        memories.delete(window.key)
        memories.set(window.key, {
          notBeforeMs: askedAtMs + certainMs,
          notAfterMs: answeredAtMs + msToReset,
        })
      }
      forgetOldest()
    },
    among(windows) {
      if (memories.size === 0) return none
      const nowMs = now()
      return windows.flatMap((window) => {
        const memory = memories.get(window.key)
        if (memory === undefined) return none
        if (memory.notBeforeMs > nowMs) return [{ window, msToReset: memory.notAfterMs - nowMs }]
        memories.delete(window.key)
        return none
      })
    },
  }

  function forgetOldest(): void {
    for (const key of memories.keys()) {
      if (memories.size <= maxRemembered) return
      memories.delete(key)
    }
  }
}
