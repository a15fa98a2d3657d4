import { monitorEventLoopDelay } from 'node:perf_hooks'
import { GatewayError } from '../errors/gateway-error.ts'
import type { Log } from '../telemetry/log.ts'

/** When requests are refused because this process has too much to do. */
export type LoadSheddingOptions = {
  readonly maxInFlight?: number | undefined
  /** How late timers may be, on average over a quarter of a second. */
  readonly eventLoopDelayMs?: number | undefined
  readonly retryAfterSeconds: number
}

/** Refuses what would make everything slower for everybody. */
export type LoadShedding = {
  /**
   * To be asked once a request, before anything is spent on it.
   *
   * @throws {GatewayError} OVERLOADED with Retry-After
   */
  readonly refuse: () => void
  readonly counts: () => { readonly inFlight: number; readonly eventLoopDelay: number }
  readonly close: () => void
}

const resolutionMs = 10
const lookEveryMs = 250

/** @param inFlight requests under way beside the one that is asked about */
export function createLoadShedding(
  { maxInFlight = Infinity, eventLoopDelayMs, retryAfterSeconds }: LoadSheddingOptions,
  inFlight: () => number,
  log: Pick<Log, 'info' | 'warn'>,
): LoadShedding {
  const counts = { inFlight: 0, eventLoopDelay: 0 }
  const share = createShare()
  const stop = eventLoopDelayMs === undefined ? undefined : watchDelay(look, eventLoopDelayMs)

  function look(delayMs: number, boundMs: number): void {
    const before = share.isNone()
    share.note(delayMs > boundMs)
    if (before === share.isNone()) return
    if (before)
      log.warn({ shedding: true, delayMs }, 'the event loop is late: requests are refused')
    else log.info({ shedding: false }, 'the event loop is in time again')
  }

  return {
    refuse() {
      if (inFlight() >= maxInFlight) counts.inFlight += 1
      else if (share.takes()) counts.eventLoopDelay += 1
      else return
      throw new GatewayError('OVERLOADED', { retryAfterSeconds })
    },
    counts: () => counts,
    close() {
      stop?.()
    },
  }
}

/** @returns stops it */
function watchDelay(look: (delayMs: number, boundMs: number) => void, boundMs: number): () => void {
  const delays = monitorEventLoopDelay({ resolution: resolutionMs })
  delays.enable()
  const timer = setInterval(() => {
    // It measures from timer to timer; before the first it says NaN.
    const meanMs = (delays.mean || 0) / 1e6 - resolutionMs
    delays.reset()
    look(Math.max(0, meanMs), boundMs)
  }, lookEveryMs).unref()
  return () => {
    clearInterval(timer)
    delays.disable()
  }
}

/** In tenths: how much more, or less, is refused each time one looks. */
const most = 9

/**
 * Which share of requests to refuse: a tenth more each time that it was too much, a tenth less each time
 * that it was not, so that it settles where the process keeps up rather than swing from all to none.
 */
export function createShare(): {
  readonly note: (isTooMuch: boolean) => void
  readonly isNone: () => boolean
  /** Whether this request is one of the share. */
  readonly takes: () => boolean
} {
  let tenths = 0
  let owed = 0
  return {
    note(isTooMuch) {
      tenths = isTooMuch ? Math.min(most, tenths + 1) : Math.max(0, tenths - 1)
      if (tenths === 0) owed = 0
    },
    isNone: () => tenths === 0,
    takes() {
      if (tenths === 0) return false
      owed += tenths
      if (owed < 10) return false
      owed -= 10
      return true
    },
  }
}
