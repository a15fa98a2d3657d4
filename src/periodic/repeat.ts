import { setTimeout as delay } from 'node:timers/promises'

/** Work that comes round until it is closed. */
export type Repeating = {
  /** No further round begins; resolves when the one under way has ended. */
  readonly close: () => Promise<void>
}

type Options = {
  /** From the end of one round to the beginning of the next. */
  readonly intervalMs: number
  /** Whether the first round begins now, or after one interval. */
  readonly atOnce?: boolean
  /** Whether the process stays for it. Default: yes. */
  readonly ref?: boolean
}

/**
 * Do something from time to time, never twice at once.
 *
 * @param work one round; deals with its failures itself. The signal says that it should come to an end
 */
export function repeat(
  { intervalMs, atOnce = false, ref = true }: Options,
  work: (closing: AbortSignal) => Promise<unknown>,
): Repeating {
  const closing = new AbortController()
  const { signal } = closing
  const running = run()
  return {
    close: async () => {
      closing.abort()
      await running
    },
  }

  async function run(): Promise<void> {
    if (atOnce) await work(signal)
    for (;;) {
      await delay(intervalMs, undefined, { signal, ref }).catch(() => undefined)
      if (signal.aborted) return
      await work(signal)
    }
  }
}
