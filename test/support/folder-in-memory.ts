import { chmodSync, existsSync, mkdtempSync, statfsSync } from 'node:fs'
import { join } from 'node:path'

const memory = '/dev/shm'

/** `TMPFS_MAGIC` of Linux. */
const tmpfs = 0x01021994

/** Of what the tests need at once this is several times as much. A container often has 64 MB. */
const enough = 4 * 1024 ** 3

/**
 * A new folder for temporary files whose content never reaches a disk: each gateway under test has
 * the 40 MB of a directory of its own, and writing them there takes longer than all else of a start.
 *
 * @returns undefined where there is no such place, or too little room
 */
export function folderInMemory(): string | undefined {
  if (!existsSync(memory)) return undefined
  const { type, bavail, bsize } = statfsSync(memory)
  if (type !== tmpfs || Math.min(bavail * bsize, process.availableMemory()) < enough) {
    return undefined
  }
  const folder = mkdtempSync(join(memory, 'gatehouse-'))
  // PostgreSQL runs as another user, whose files are further down.
  chmodSync(folder, 0o711)
  return folder
}
