import { appendFile, cp } from 'node:fs/promises'
import { join } from 'node:path'
import { openEmbedded } from '../../src/directory/embedded.ts'
import { madeOnce } from './made-once.ts'

/** By default it clears 128 MB each time it is started, which is most of what a start takes. */
const frugal = 'shared_buffers = 4MB\n'

/** Put the files of an embedded directory without anything in it into a folder. */
export async function copyEmptyDirectory(folder: string): Promise<void> {
  const made = await madeOnce('embedded-frugal', async (unfinished) => {
    const database = await openEmbedded({ folder: unfinished, queryTimeoutMs: 60_000 })
    await database.close()
    await appendFile(join(unfinished, 'postgres/postgresql.conf'), frugal)
  })
  await cp(made, folder, { recursive: true })
}
