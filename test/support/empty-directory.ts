import { cp } from 'node:fs/promises'
import { openEmbedded } from '../../src/directory/embedded.ts'
import { madeOnce } from './made-once.ts'

/** Put the files of an embedded directory without anything in it into a folder. */
export async function copyEmptyDirectory(folder: string): Promise<void> {
  const made = await madeOnce('embedded', async (unfinished) => {
    const database = await openEmbedded({ folder: unfinished, queryTimeoutMs: 60_000 })
    await database.close()
  })
  await cp(made, folder, { recursive: true })
}
