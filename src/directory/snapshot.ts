import { isUnavailability, type Availability } from './availability.ts'
import type { DirectoryLog } from './directory-log.ts'

/** Something small that is kept in memory whole, and so is at hand without waiting. */
export type Snapshot<Value> = {
  /** Read it for the first time. To be called once. @throws where it cannot be read */
  readonly open: () => Promise<void>
  /** What was read last. */
  readonly value: () => Value
  /** When that was asked for, on the clock that was passed in. */
  readonly readAtMs: () => number
  /**
   * Read again. Resolves when a reading has ended that began after this call; where it failed, what
   * was read before stays, and it is tried again until it succeeds.
   */
  readonly refresh: () => Promise<void>
  readonly close: () => Promise<void>
}

type Parts<Value> = {
  /** Names it in the log. */
  readonly what: string
  readonly read: () => Promise<Value>
  /** Its value until it is read. */
  readonly initial: Value
  /** How often it is read without a reason, for the sake of changes that were not told. */
  readonly intervalMs: number
  readonly availability: Availability
  /** Milliseconds on a clock that only goes forward. */
  readonly now: () => number
  readonly log: DirectoryLog
}

/** Pause after a reading that failed. */
const retryMs = 250

/** The longest that a timer can be set for; a longer one would ring at once. */
const longestTimerMs = 2 ** 31 - 1

/** Keep something in memory whole, and up to date. */
export function createSnapshot<Value>(parts: Parts<Value>): Snapshot<Value> {
  const { what, read, initial, intervalMs, availability, now, log } = parts
  let value = initial
  let readAtMs = now()
  let underWay = Promise.resolve()
  let following: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  let isClosed = false

  return {
    value: () => value,
    readAtMs: () => readAtMs,
    open: () => {
      const reading = readNow()
      underWay = reading.catch(() => undefined)
      return reading
    },
    refresh,
    close: async () => {
      isClosed = true
      clearTimeout(timer)
      await following
      await underWay
    },
  }

  /** A reading under way may have read what was before the change: another one follows it. */
  function refresh(): Promise<void> {
    following ??= underWay.then(() => {
      following = undefined
      underWay = readAgain()
      return underWay
    })
    return following
  }

  async function readAgain(): Promise<void> {
    if (isClosed) return
    try {
      await readNow()
      availability.succeeded()
    } catch (cause) {
      if (isUnavailability(cause)) availability.failed(cause)
      else log.error({ err: cause }, `${what} cannot be read; what was read before stays`)
      refreshAfter(retryMs)
    }
  }

  async function readNow(): Promise<void> {
    const beganAtMs = now()
    value = await read()
    readAtMs = beganAtMs
    refreshAfter(intervalMs)
  }

  function refreshAfter(ms: number): void {
    clearTimeout(timer)
    if (isClosed) return
    timer = setTimeout(() => void refresh(), Math.min(ms, longestTimerMs))
  }
}
