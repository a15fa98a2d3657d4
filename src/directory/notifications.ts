import { z } from 'zod'
import type { Database } from './database.ts'
import type { DirectoryLog } from './directory-log.ts'
import type { CachedLookUps } from './look-ups.ts'

export type Notifications = {
  /** Whether changes of other processes are not told at the moment. */
  readonly areLost: () => boolean
}

/**
 * Forget what a notification names. A gap between notifications is at both of its ends taken to
 * have hidden changes: at its beginning, for answers are given while it lasts; and at its end, for
 * what was read during the gap may have changed during the gap too.
 */
export async function followNotifications(
  database: Pick<Database, 'listen'>,
  { forget, distrust }: Pick<CachedLookUps, 'forget' | 'distrust'>,
  log: DirectoryLog,
): Promise<Notifications> {
  let areLost = false
  await database.listen({
    changed: (payload) => {
      const notice = noticeOf(payload)
      // What this version of the program does not know may mean anything.
      if (notice === undefined || !forget(notice.kind, notice.id)) distrust()
    },
    lost: (cause) => {
      distrust()
      areLost = true
      log.warn({ err: cause }, 'change notifications of the directory were lost; reconnecting')
    },
    restored: () => {
      distrust()
      areLost = false
      log.info({}, 'change notifications of the directory arrive again')
    },
  })
  return { areLost: () => areLost }
}

/** What changed, as the triggers of the schema notify it: kind and id, nothing else. */
const Notice = z.object({ kind: z.string(), id: z.string() })

function noticeOf(payload: string): z.infer<typeof Notice> | undefined {
  try {
    return Notice.parse(JSON.parse(payload))
  } catch {
    // Not JSON, or of a newer schema: the caller treats both alike.
    return undefined
  }
}
