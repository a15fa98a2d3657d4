import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'

const project = resolve(import.meta.dirname, '../..')
const cache = join(project, '.cache/test-directory')

/**
 * A folder of a directory's files, made once for each schema and kept beside the project: making
 * them takes seconds of a processor.
 *
 * @param make fills an empty folder
 * @returns where it is; to be copied, never written to
 */
export async function madeOnce(
  name: string,
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const made = join(cache, `${name}-${schemaDigest()}`)
  if (existsSync(made)) return made
  await mkdir(cache, { recursive: true })
  // Under another name first, since several workers may make it at once.
  const unfinished = await mkdtemp(join(cache, 'unfinished-'))
  await make(unfinished)
  await rename(unfinished, made).catch(async (error: unknown) => {
    await rm(unfinished, { recursive: true })
    if (!existsSync(made)) throw error
  })
  return made
}

/** Of all that decides what the files hold: the migrations, which PostgreSQL it is, and its settings. */
function schemaDigest(): string {
  const sql = join(project, 'src/directory/sql')
  const migrations = readdirSync(sql).filter((file) => file.endsWith('.sql'))
  const files = [
    ...['package-lock.json', 'src/directory/embedded.ts'],
    ...migrations.map((file) => `src/directory/sql/${file}`),
  ]
  const digest = createHash('sha256')
  for (const file of files) digest.update(readFileSync(join(project, file)))
  return digest.digest('hex').slice(0, 16)
}
