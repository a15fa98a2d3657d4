import { z } from 'zod'
import type { Database } from './database.ts'
import type { DirectoryLog } from './directory-log.ts'
import type { KeyCache } from './key-cache.ts'

export type Notifications = {
  /** Whether changes of other processes are not told at the moment. */
  readonly areLost: () => boolean
}

/**
 * Forget each key that a notification names. A gap between notifications is at both of its ends
 * taken to have hidden changes: at its beginning, for answers are given while it lasts; and at its
 * end, for what was read during the gap may have changed during the gap too.
 */
export async function followNotifications(
  database: Database,
  cache: KeyCache,
  log: DirectoryLog,
): Promise<Notifications> {
  let areLost = false
  await database.listen({
    changed: (payload) => {
      const keyId = changedKey(payload)
      if (keyId === undefined) cache.distrust()
      else cache.forget(keyId)
    },
    lost: (cause) => {
      cache.distrust()
      areLost = true
      log.warn({ err: cause }, 'change notifications of the directory were lost; reconnecting')
    },
    restored: () => {
      cache.distrust()
      areLost = false
      log.info({}, 'change notifications of the directory arrive again')
    },
  })
  return { areLost: () => areLost }
}

/** What changed, as the triggers of the schema notify it: kind and id, nothing else. */
const Notice = z.object({ kind: z.literal('api-key'), id: z.string() })

/**
 * The key that a notification names, or undefined where it says something that this version of the
 * program does not know: then anything may have changed.
 */
function changedKey(payload: string): string | undefined {
  try {
    return Notice.parse(JSON.parse(payload)).id
  } catch {
    // Not JSON, or of a newer schema: the caller treats both alike.
    return undefined
  }
}
