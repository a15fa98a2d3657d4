import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { openEmbedded } from '../../src/directory/embedded.ts'

const project = resolve(import.meta.dirname, '../..')
const cache = join(project, '.cache/test-directory')

/**
 * Put the files of an embedded directory without anything in it into a folder. Making them takes
 * seconds of a processor, so they are made once for each schema and kept beside the project.
 */
export async function copyEmptyDirectory(folder: string): Promise<void> {
  const made = join(cache, schemaDigest())
  if (!existsSync(made)) await makeEmptyDirectory(made)
  await cp(made, folder, { recursive: true })
}

/** Under another name first, since several workers may make it at once. */
async function makeEmptyDirectory(made: string): Promise<void> {
  await mkdir(cache, { recursive: true })
  const unfinished = await mkdtemp(join(cache, 'unfinished-'))
  const database = await openEmbedded({ folder: unfinished, queryTimeoutMs: 60_000 })
  await database.close()
  await rename(unfinished, made).catch(async (error: unknown) => {
    await rm(unfinished, { recursive: true })
    if (!existsSync(made)) throw error
  })
}

/** Of all that decides what the files hold: the migrations, and which PostgreSQL it is. */
function schemaDigest(): string {
  const sql = join(project, 'src/directory/sql')
  const migrations = readdirSync(sql).filter((file) => file.endsWith('.sql'))
  const files = ['package-lock.json', ...migrations.map((file) => `src/directory/sql/${file}`)]
  const digest = createHash('sha256')
  for (const file of files) digest.update(readFileSync(join(project, file)))
  return digest.digest('hex').slice(0, 16)
}
