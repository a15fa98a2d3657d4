import type { WindowLimit } from './applicable-limits.ts'
import { endOfPeriod } from './calendar.ts'
import { weightIn } from './outcome.ts'
import type { WindowState } from './verdict.ts'

/** What this process has counted in one window. */
export type Count = {
  /** When nothing of it counts any more. */
  readonly resetAtMs: number
  readonly used: number
  /** Of a window that slides: what was counted in each tenth of its length, the oldest first. */
  readonly tenths: readonly Tenth[] | undefined
}

type Tenth = { readonly endMs: number; readonly used: number }

/** What of a count still counts; a window begins anew where nothing does. */
export function current(count: Count | undefined, window: WindowLimit, nowMs: number): Count {
  if (count === undefined || count.resetAtMs <= nowMs) return empty(window, nowMs)
  if (count.tenths === undefined) return count
  const tenths = count.tenths.filter(({ endMs }) => endMs + window.windowMs > nowMs)
  return { ...count, used: tenths.reduce((sum, { used }) => sum + used, 0), tenths }
}

function empty({ kind, windowMs }: WindowLimit, nowMs: number): Count {
  const tenths = kind === 'sliding' ? [] : undefined
  const isCalendar = kind !== 'fixed' && kind !== 'sliding'
  return { resetAtMs: isCalendar ? endOfPeriod(kind, nowMs) : nowMs + windowMs, used: 0, tenths }
}

/** Count an admitted request, as `lua/admit.lua` does. */
export function plus(count: Count, window: WindowLimit, cost: number, nowMs: number): Count {
  const weight = weightIn(window, cost)
  const used = count.used + weight
  if (count.tenths === undefined) return { resetAtMs: count.resetAtMs, used, tenths: undefined }
  const tenths = plusTenth(count.tenths, weight, window.windowMs, nowMs)
  return { resetAtMs: (tenths.at(-1)?.endMs ?? nowMs) + window.windowMs, used, tenths }
}

function plusTenth(
  tenths: readonly Tenth[],
  weight: number,
  windowMs: number,
  nowMs: number,
): readonly Tenth[] {
  const lengthMs = Math.ceil(windowMs / 10)
  const endMs = nowMs - (nowMs % lengthMs) + lengthMs
  const newest = tenths.at(-1)
  // After the clock was set back, the newest may end later.
  return newest !== undefined && newest.endMs >= endMs
    ? [...tenths.slice(0, -1), { endMs: newest.endMs, used: newest.used + weight }]
    : [...tenths, { endMs, used: weight }]
}

export function stateOf(
  count: Count,
  window: WindowLimit,
  cost: number,
  nowMs: number,
): WindowState {
  return {
    remaining: Math.max(window.requests - count.used, 0),
    msToReset:
      count.tenths === undefined ? count.resetAtMs - nowMs : waitOf(count, window, cost, nowMs),
  }
}

/** Milliseconds until so many tenths are past that there is room for a cost. */
function waitOf({ used, tenths }: Count, window: WindowLimit, cost: number, nowMs: number): number {
  let excess = used + weightIn(window, cost) - window.requests
  for (const tenth of tenths ?? []) {
    excess -= tenth.used
    if (excess <= 0) return tenth.endMs + window.windowMs - nowMs
  }
  return window.windowMs
}
