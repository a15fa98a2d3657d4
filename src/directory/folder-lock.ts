import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** Held until released, or until the process ends in whatever way. */
export type FolderLock = { readonly release: () => void }

/**
 * Take a folder for this process alone.
 *
 * An empty SQLite file is used for its lock and for nothing else: Node has no `flock` of its own,
 * and a lock of the operating system, unlike a file with a process id in it, ends with its process,
 * cannot be mistaken for another process of the same id, and is taken over without a race.
 *
 * @param folder an existing folder
 * @throws {Error} where another gateway uses the folder
 */
export function lockFolder(folder: string): FolderLock {
  const file = join(folder, 'lock')
  const lock = new DatabaseSync(file, { timeout: 0 })
  try {
    lock.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    lock.close()
    if (!isBusy(cause)) throw cause
    throw new Error(
      `The directory folder ${folder} is in use by another gateway, which holds ${file}. Stop that gateway, give this one a folder of its own, or let both share a PostgreSQL server.`,
      { cause },
    )
  }
  return {
    release: () => {
      lock.close()
    },
  }
}

/** SQLITE_BUSY, https://sqlite.org/rescode.html#busy */
function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === 5
}
