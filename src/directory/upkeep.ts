import { setTimeout as delay } from 'node:timers/promises'
import type { Session } from './database.ts'
import type { DirectoryLog } from './directory-log.ts'
import { pruneRevocations, pruneUsedAssertions } from './sql/tokens.ts'

/** What is deleted by and by, because nobody asks for it any more. */
export type Upkeep = { readonly close: () => Promise<void> }

/**
 * Delete expired revocations and ids of assertions from time to time. Every process does it; what
 * one of them has under way, the others pass over.
 *
 * @param intervalMs between two rounds; there is none at the start
 */
export function startUpkeep(session: Session, log: DirectoryLog, intervalMs = 60_000): Upkeep {
  const closing = new AbortController()
  const running = run()
  return {
    close: async () => {
      closing.abort()
      await running
    },
  }

  async function run(): Promise<void> {
    for (;;) {
      await delay(intervalMs, undefined, { signal: closing.signal }).catch(() => undefined)
      if (closing.signal.aborted) return
      await prune().catch((err: unknown) => {
        log.warn({ err }, 'what has expired could not be deleted; it is tried again')
      })
    }
  }

  async function prune(): Promise<void> {
    for (const statement of [pruneRevocations, pruneUsedAssertions])
      while ((await session.query(statement)).length > 0 && !closing.signal.aborted);
  }
}
