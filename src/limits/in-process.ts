import type { ApplicableLimits, SlotLimit, WindowLimit } from './applicable-limits.ts'
import type { Verdict, WindowState } from './verdict.ts'

/** Limits kept in this process: the same decisions as `lua/admit.lua`, for one process. */
export type InProcessLimits = {
  /** Decide and, where the request is admitted, count it; the slots are taken by holding a lease. */
  readonly decide: (limits: ApplicableLimits) => Verdict
  /** Forget every window. */
  readonly clear: () => void
}

type Parts = {
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** How many slots of a key are taken. */
  readonly occupied: (slotKey: string) => number
}

type Count = { readonly resetAtMs: number; readonly requests: number }

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
export function createInProcessLimits({ now, occupied }: Parts): InProcessLimits {
  const counts = new Map<string, Count>()
  let sweepAbove = fewWindows

  return {
    decide({ windows, slots }) {
      const nowMs = now()
      const before = windows.map((window) => current(window, nowMs))
      const deniedBy = denialOf(windows, slots, before)
      if (deniedBy !== undefined) return verdict(deniedBy, windows, before, nowMs)
      const after = before.map(({ resetAtMs, requests }) => ({ resetAtMs, requests: requests + 1 }))
      for (const [i, count] of after.entries()) {
        const window = windows[i]
        if (window !== undefined) counts.set(window.key, count)
      }
      sweep(nowMs)
      return verdict(undefined, windows, after, nowMs)
    },
    clear() {
      counts.clear()
    },
  }

  function current({ key, windowMs }: WindowLimit, nowMs: number): Count {
    const count = counts.get(key)
    if (count !== undefined && count.resetAtMs > nowMs) return count
    return { resetAtMs: nowMs + windowMs, requests: 0 }
  }

  function denialOf(
    windows: readonly WindowLimit[],
    slots: readonly SlotLimit[],
    before: readonly Count[],
  ): number | undefined {
    const window = windows.findIndex(({ requests }, i) => (before[i]?.requests ?? 0) >= requests)
    if (window !== -1) return window
    const slot = slots.findIndex(({ key, concurrent }) => occupied(key) >= concurrent)
    return slot === -1 ? undefined : windows.length + slot
  }

  /** Each sweep waits until the number of windows has doubled, so its cost is spread over them. */
  function sweep(nowMs: number): void {
    if (counts.size <= sweepAbove) return
    for (const [key, { resetAtMs }] of counts) if (resetAtMs <= nowMs) counts.delete(key)
    sweepAbove = Math.max(fewWindows, 2 * counts.size)
  }
}

function verdict(
  deniedBy: number | undefined,
  windows: readonly WindowLimit[],
  counts: readonly Count[],
  nowMs: number,
): Verdict {
  const states = windows.map(({ requests, windowMs }, i): WindowState => {
    const count = counts[i] ?? { resetAtMs: nowMs + windowMs, requests: 0 }
    return {
      remaining: Math.max(requests - count.requests, 0),
      msToReset: count.resetAtMs - nowMs,
    }
  })
  return { deniedBy, windows: states }
}
