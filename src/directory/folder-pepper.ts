import { randomBytes } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Peppers } from './pepper.ts'

const Pepper = z.object({ id: z.string().min(1), secret: z.string().min(32) })

/**
 * The pepper of an embedded directory, kept in its folder and made where there is none. To be
 * called by the process that holds the folder's lock.
 *
 * @throws {Error} where the file is there but is no pepper
 */
export async function folderPepper(folder: string): Promise<Peppers> {
  const file = join(folder, 'pepper.json')
  const text = await readFile(file, 'utf8').catch(ignoreAbsence)
  const current = text === undefined ? await createPepper(file) : Pepper.parse(JSON.parse(text))
  return { current, previous: [] }
}

async function createPepper(file: string): Promise<z.infer<typeof Pepper>> {
  // The id is random too: where the file was lost, keys made with it are known as such.
  const pepper = {
    id: `folder-${randomBytes(4).toString('hex')}`,
    secret: randomBytes(32).toString('base64url'),
  }
  const unfinished = `${file}.unfinished`
  await writeFile(unfinished, JSON.stringify(pepper), { mode: 0o600, flush: true })
  await rename(unfinished, file)
  return pepper
}

function ignoreAbsence(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
  throw error
}
