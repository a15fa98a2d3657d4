import { readdirSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'

/** What the process takes, read when it is asked for. */
export type ProcessReadings = {
  /** User and system. */
  readonly cpuSeconds: () => number
  readonly residentBytes: () => number
  readonly heapUsedBytes: () => number
  /** Undefined where the system does not tell. */
  readonly openFileDescriptors: () => number | undefined
  /** Seconds since the epoch. */
  readonly startedAtSeconds: () => number
  /** How late timers were since this was last asked for, in seconds. */
  readonly eventLoopDelay: () => {
    readonly mean: number
    readonly p99: number
    readonly max: number
  }
  readonly close: () => void
}

const resolutionMs = 20

/** Watch the process. */
export function watchProcess(): ProcessReadings {
  const delays = monitorEventLoopDelay({ resolution: resolutionMs })
  delays.enable()
  return {
    cpuSeconds() {
      const { user, system } = process.cpuUsage()
      return (user + system) / 1e6
    },
    residentBytes: () => process.memoryUsage.rss(),
    heapUsedBytes: () => process.memoryUsage().heapUsed,
    openFileDescriptors,
    startedAtSeconds: () => performance.timeOrigin / 1_000,
    eventLoopDelay() {
      const read = {
        mean: delaySeconds(delays.mean),
        p99: delaySeconds(delays.percentile(99)),
        max: delaySeconds(delays.max),
      }
      delays.reset()
      return read
    },
    close: () => {
      delays.disable()
    },
  }
}

/** The monitor measures from timer to timer, and what it is set to is no delay. Before the first: NaN. */
function delaySeconds(nanoseconds: number): number {
  return Math.max(0, (nanoseconds || 0) / 1e9 - resolutionMs / 1_000)
}

function openFileDescriptors(): number | undefined {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    // Only Linux has the folder.
    return undefined
  }
}
