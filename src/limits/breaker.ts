import type { Log } from './limits-log.ts'

/** Stops asking Redis when it does not answer, and finds out when it does again. */
export type Breaker = {
  /** While open, Redis is not asked: every request is decided in this process. */
  readonly isOpen: () => boolean
  /** A call was answered. */
  readonly succeeded: () => void
  /** A call failed; several in a row open the breaker. */
  readonly failed: (cause: unknown) => void
  /** Open at once: the connection is lost. */
  readonly open: (cause: unknown) => void
  /** Try now whether Redis answers, rather than at the next interval. */
  readonly probeNow: () => void
  readonly health: () => BreakerHealth
  /** The process ends: neither watch nor report any more. */
  readonly close: () => void
}

export type BreakerHealth = {
  readonly state: 'up' | 'degraded'
  /** How long it has been in this state. */
  readonly forMs: number
  /** How often Redis has been given up. */
  readonly outages: number
  /** Time in degraded mode, all in all. */
  readonly degradedMs: number
}

type Parts = {
  /** Monotonic milliseconds. */
  readonly now: () => number
  readonly log: Log
  /** Ask Redis for what every call needs, and bring it up to date; rejects where it fails. */
  readonly probe: () => Promise<void>
  readonly onOpen: () => void
  readonly onClose: () => void
}

const failuresToOpen = 5
const probeIntervalMs = 250

/** Build a closed breaker. */
export function createBreaker({ now, log, probe, onOpen, onClose }: Parts): Breaker {
  let timer: NodeJS.Timeout | undefined
  let isProbing = false
  let isClosedForGood = false
  let failures = 0
  let outages = 0
  let sinceMs = now()
  let earlierDegradedMs = 0

  return {
    isOpen: () => timer !== undefined,
    succeeded() {
      failures = 0
    },
    failed(cause) {
      failures += 1
      if (failures >= failuresToOpen) open(cause)
    },
    open,
    probeNow() {
      void tryOnce()
    },
    health() {
      const forMs = now() - sinceMs
      const isDegraded = timer !== undefined
      return {
        state: isDegraded ? 'degraded' : 'up',
        forMs,
        outages,
        degradedMs: earlierDegradedMs + (isDegraded ? forMs : 0),
      }
    },
    close() {
      isClosedForGood = true
      clearInterval(timer)
    },
  }

  function open(cause: unknown): void {
    if (timer !== undefined || isClosedForGood) return
    timer = setInterval(() => void tryOnce(), probeIntervalMs).unref()
    outages += 1
    sinceMs = now()
    log.warn({ err: cause }, 'Redis does not answer: limits are kept in this process')
    onOpen()
  }

  async function tryOnce(): Promise<void> {
    if (timer === undefined || isProbing) return
    isProbing = true
    try {
      await probe()
      closeAgain()
    } catch {
      // Still away: the next probe comes by itself, and the log has said so when it began.
    } finally {
      isProbing = false
    }
  }

  function closeAgain(): void {
    clearInterval(timer)
    timer = undefined
    failures = 0
    const degradedMs = Math.round(now() - sinceMs)
    earlierDegradedMs += degradedMs
    sinceMs = now()
    log.info({ degradedMs }, 'Redis answers again: limits are shared')
    onClose()
  }
}
