import { readdir, readFile } from 'node:fs/promises'
import type { MigrationSession } from './database.ts'
import { createVersionTable, lockMigrations, noteMigration, readVersion } from './sql/migrations.ts'

/** One step of the schema, from a file `NNNN-name.sql`. */
type Migration = { readonly version: number; readonly name: string; readonly script: string }

/**
 * Bring the schema up to this program's version, inside the caller's transaction. Processes that
 * start at the same time do it one after the other, and all but the first find nothing to do.
 *
 * @throws {Error} where the schema is newer than this program, or a step fails
 */
export async function migrate(session: MigrationSession): Promise<void> {
  const migrations = await readMigrations()
  await session.query(lockMigrations)
  await session.execute(createVersionTable)
  const [current] = await session.query(readVersion)
  const version = current?.version ?? 0
  refuseNewerSchema(version, migrations.length)
  for (const migration of migrations.slice(version)) {
    await session.execute(migration.script).catch((cause: unknown) => {
      throw new Error(`The directory's schema migration ${migration.name} failed`, { cause })
    })
    await session.query(noteMigration, migration.version, migration.name)
  }
}

function refuseNewerSchema(version: number, latest: number): void {
  if (version <= latest) return
  throw new Error(
    `The directory's schema has version ${version}, but this program knows versions up to ${latest} only. Start a newer Gatehouse, or restore a backup of the database.`,
  )
}

async function readMigrations(): Promise<readonly Migration[]> {
  const folder = new URL('sql/', import.meta.url)
  const files = (await readdir(folder)).filter((file) => file.endsWith('.sql')).toSorted()
  return Promise.all(
    files.map(async (name, index) => ({
      version: index + 1,
      name,
      script: await readFile(new URL(name, folder), 'utf8'),
    })),
  )
}
