import type { ApplicableLimits, WindowLimit } from './applicable-limits.ts'
import { certainlyLastsMs } from './certain-time.ts'
import type { Exhausted } from './outcome.ts'
import type { WindowState } from './verdict.ts'

/** Windows that Redis said are exhausted, so that refusing costs no round trip until they reset. */
export type ExhaustedWindows = {
  /** Remember those of a decision's windows that are exhausted after it. */
  readonly remember: (limits: Asked, states: readonly WindowState[], decided: Decided) => void
  /** Those of these windows that are known to be exhausted now; none where that may be untrue. */
  readonly among: (limits: Asked) => readonly Exhausted[]
}

type Asked = Pick<ApplicableLimits, 'windows' | 'cost'>

/** Redis decided between these moments. */
type Decided = { readonly askedAtMs: number; readonly answeredAtMs: number }

/** An exhausted window, and between which moments it has room again. */
type Memory = {
  readonly notBeforeMs: number
  readonly notAfterMs: number
  /** There is no room for so much, and for more. */
  readonly cost: number
  /** What was asked about: more may lack room elsewhere, too. */
  readonly asked: number
  /** Against which limit it was decided: after a change Redis is asked again. */
  readonly requests: number
}

/** More than that at a time are not remembered: the oldest go, and are asked about again. */
const maxRemembered = 100_000

/** A longer window is asked about again after this time, since clocks drift and Redis may forget. */
const maxMemoryMs = 10_000

const none: readonly Exhausted[] = []

/** @param now monotonic milliseconds */
export function createExhaustedWindows(now: () => number): ExhaustedWindows {
  const memories = new Map<string, Memory>()

  return {
    remember({ windows, cost }, states, { askedAtMs, answeredAtMs }) {
      let place = 0
      for (const { remaining, msToReset } of states) {
        const window = windows[place]
        place += 1
        if (window === undefined) continue
        if (remaining > 0) {
          if (memories.size > 0) memories.delete(window.key)
          continue
        }
        // A window must not be refused here when it is open there.
        const certainMs = Math.min(certainlyLastsMs(msToReset), maxMemoryMs)
        memories.delete(window.key)
        memories.set(window.key, {
          notBeforeMs: askedAtMs + certainMs,
          notAfterMs: answeredAtMs + msToReset,
          // In one that slides, room for less comes earlier.
          cost: window.kind === 'sliding' ? cost : 1,
          asked: cost,
          requests: window.requests,
        })
      }
      forgetOldest()
    },
    among({ windows, cost }) {
      if (memories.size === 0) return none
      const nowMs = now()
      const known: Exhausted[] = []
      for (const window of windows) {
        const memory = memories.get(window.key)
        if (memory === undefined) continue
        if (memory.notAfterMs <= nowMs) {
          memories.delete(window.key)
          continue
        }
        // What is in doubt may bind longest, and then decides how long to wait.
        if (!isCertain(memory, window, cost, nowMs)) return none
        known.push({ window, remaining: 0, msToReset: memory.notAfterMs - nowMs })
      }
      return known
    },
  }

  function forgetOldest(): void {
    for (const key of memories.keys()) {
      if (memories.size <= maxRemembered) return
      memories.delete(key)
    }
  }
}

function isCertain(
  memory: Memory,
  { requests }: WindowLimit,
  cost: number,
  nowMs: number,
): boolean {
  const isAbout = memory.cost <= cost && cost <= memory.asked
  return isAbout && memory.notBeforeMs > nowMs && memory.requests === requests
}
