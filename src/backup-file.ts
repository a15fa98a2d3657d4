import { open, rm, type FileHandle } from 'node:fs/promises'
import type { Actor } from './directory/audit.ts'
import type { Directory } from './directory/directory.ts'

/**
 * Export a directory into a new file that nobody else may read. Where it fails, no file stays.
 *
 * @throws {Error} where there is such a file already, or it cannot be written
 * @throws {GatewayError} DIRECTORY_UNAVAILABLE
 */
export async function exportToFile(
  { exportTo }: Pick<Directory, 'exportTo'>,
  file: string,
): Promise<void> {
  const handle = await open(file, 'wx', 0o600)
  try {
    await exportTo(async (lines) => {
      await handle.write(lines.map((line) => `${line}\n`).join(''))
    })
    await handle.sync()
    await handle.close()
  } catch (error) {
    await handle.close()
    await rm(file)
    throw error
  }
}

/**
 * Import the file of an export into an empty directory.
 *
 * @throws {Error} where the file cannot be read or imported, for the operator
 * @throws {GatewayError} DIRECTORY_UNAVAILABLE
 */
export async function importFromFile(
  { importFrom }: Pick<Directory, 'importFrom'>,
  file: string,
  actor: Actor,
): Promise<void> {
  const handle = await open(file)
  try {
    await importFrom(linesOf(handle), actor)
  } finally {
    await handle.close()
  }
}

/** Nothing is read before it is asked for: a reader of lines loses those that nobody waits for yet. */
async function* linesOf(handle: FileHandle): AsyncGenerator<string> {
  yield* handle.readLines({ autoClose: false })
}
