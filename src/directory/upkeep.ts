import { repeat, type Repeating } from '../periodic/repeat.ts'
import type { Session } from './database.ts'
import type { DirectoryLog } from './directory-log.ts'
import { pruneCountedChanges } from './sql/resource-counts.ts'
import { pruneRevocations, pruneUsedAssertions } from './sql/tokens.ts'

/**
 * Delete expired revocations, ids of assertions and of counted changes from time to time. Every
 * process does it; what one of them has under way, the others pass over.
 *
 * @param intervalMs between two rounds; there is none at the start
 */
export function startUpkeep(session: Session, log: DirectoryLog, intervalMs = 60_000): Repeating {
  return repeat({ intervalMs }, (closing) =>
    prune(closing).catch((err: unknown) => {
      log.warn({ err }, 'what has expired could not be deleted; it is tried again')
    }),
  )

  async function prune(closing: AbortSignal): Promise<void> {
    for (const statement of [pruneRevocations, pruneUsedAssertions, pruneCountedChanges])
      while ((await session.query(statement)).length > 0 && !closing.aborted);
  }
}
