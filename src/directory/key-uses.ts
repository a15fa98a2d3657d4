import { repeat } from '../periodic/repeat.ts'
import type { DirectoryLog } from './directory-log.ts'

/** Notes which keys are used, for the directory to know approximately when that was last. */
export type KeyUses = {
  /** Costs one insertion into a set: for the hot path. */
  readonly touch: (keyId: string) => void
  /** Write what is still in memory, and stop. */
  readonly close: () => Promise<void>
}

/** So that no statement runs for long. */
const keysPerStatement = 1000

/** While nothing can be written, uses of further keys are not noted. */
const maxPending = 100_000

/**
 * Gather the keys that are used, and write them together from time to time.
 *
 * @param write notes that these keys were used just now
 * @param intervalMs how far a noted use lags behind, and what a crash loses
 */
export function gatherKeyUses(
  write: (keyIds: readonly string[]) => Promise<unknown>,
  log: DirectoryLog,
  intervalMs = 10_000,
): KeyUses {
  const pending = new Set<string>()
  const regularly = repeat({ intervalMs }, flush)
  return {
    touch: (keyId) => {
      if (pending.size < maxPending) pending.add(keyId)
    },
    close: async () => {
      await regularly.close()
      await flush()
    },
  }

  async function flush(): Promise<void> {
    while (pending.size > 0) {
      const batch = [...pending].slice(0, keysPerStatement)
      for (const keyId of batch) pending.delete(keyId)
      try {
        await write(batch)
      } catch (err) {
        for (const keyId of batch) pending.add(keyId)
        log.warn({ err }, 'the last use of API keys could not be noted; it is tried again')
        return
      }
    }
  }
}
