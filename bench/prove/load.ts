/** Run a task so many times, so many at once: each begins when an earlier one ends. */
export async function closedLoop(
  times: number,
  atOnce: number,
  task: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < times) await task(next++)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}

/**
 * Begin a task so many times a second, whether earlier ones have ended or not, until told to stop.
 * What is late is made up for, so that a stall does not lower the rate.
 *
 * @param task its argument is when it was due, on the clock of `performance.now`
 */
export function openLoop(perSecond: number, task: (dueMs: number) => Promise<void>): OpenLoop {
  const startMs = performance.now()
  const running = new Set<Promise<void>>()
  let begun = 0
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startMs) * perSecond) / 1_000)
    for (; begun < due; begun++) {
      const one = task(startMs + (begun * 1_000) / perSecond).finally(() => running.delete(one))
      running.add(one)
    }
  }, 1)
  return {
    begun: () => begun,
    async stop() {
      clearInterval(timer)
      await Promise.all(running)
    },
  }
}

export type OpenLoop = {
  readonly begun: () => number
  /** Begin no more, and wait for those that have begun. */
  stop(): Promise<void>
}

/** @param share 0.99 for the 99th percentile */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
