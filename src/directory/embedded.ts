import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { PGlite, type Transaction } from '@electric-sql/pglite'
import { changeChannel, type Database, type MigrationSession } from './database.ts'
import { lockFolder } from './folder-lock.ts'
import { migrate } from './migrate.ts'
import { createSession } from './session.ts'

type Options = {
  /** Made where it does not exist; belongs to one process at a time. */
  readonly folder: string
  /** Deadline of one statement, the wait for a transaction under way included. */
  readonly queryTimeoutMs: number
}

/**
 * By default PostgreSQL clears 128 MB whenever it is started, which took most of the time of a start;
 * what one process holds in a folder is small.
 */
const serverSettings = ['-c', 'shared_buffers=16MB']

/** A migration may rewrite a large table. */
const migrationTimeoutMs = 300_000

/**
 * Open PostgreSQL inside this process, with its files in a folder, and bring its schema up to date.
 *
 * @throws {Error} where another process uses the folder, its files cannot be opened, or the schema
 *   is newer than this program
 */
export async function openEmbedded({ folder, queryTimeoutMs }: Options): Promise<Database> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const lock = lockFolder(folder)
  try {
    const postgres = await openFiles(join(folder, 'postgres'))
    await postgres.transaction((on) => migrate(sessionOn(on, migrationTimeoutMs)))
    return {
      query: sessionOn(postgres, queryTimeoutMs).query,
      transaction: (work) => postgres.transaction((on) => work(sessionOn(on, queryTimeoutMs))),
      listen: async ({ changed }) => {
        await postgres.listen(changeChannel, changed)
      },
      close: async () => {
        await postgres.close()
        lock.release()
      },
    }
  } catch (error) {
    lock.release()
    throw error
  }
}

async function openFiles(folder: string): Promise<PGlite> {
  try {
    if (!existsSync(folder)) await createFiles(folder)
    return await PGlite.create(folder)
  } catch (cause) {
    throw new Error(`The directory's files in ${folder} cannot be opened`, { cause })
  }
}

/** Made under another name first: a process that ends half-way leaves nothing that looks whole. */
async function createFiles(folder: string): Promise<void> {
  const unfinished = `${folder}.unfinished`
  await rm(unfinished, { recursive: true, force: true })
  const postgres = await PGlite.create(unfinished, { initDbStartParams: serverSettings })
  await postgres.close()
  await rename(unfinished, folder)
}

function sessionOn(postgres: PGlite | Transaction, deadlineMs: number): MigrationSession {
  return createSession(
    {
      query: async (text, values) => (await postgres.query(text, values)).rows,
      execute: (script) => postgres.exec(script),
    },
    deadlineMs,
  )
}
