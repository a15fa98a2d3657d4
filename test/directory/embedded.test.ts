import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, onTestFinished } from 'vitest'
import { z } from 'zod'
import { statement, type ChangeListener, type Database } from '../../src/directory/database.ts'
import { openDirectoryOn, type Directory } from '../../src/directory/directory.ts'
import { openEmbedded } from '../../src/directory/embedded.ts'
import { copyEmptyDirectory } from '../support/empty-directory.ts'
import { describeDirectory } from './contract.ts'
import { describeEnvironments } from './environment-contract.ts'
import { peppers, testOptions } from './opening.ts'
import { describeManagedParts } from './managed-contract.ts'
import { describeRoleBindings } from './role-contract.ts'
import { describeLimitOverrides } from './limit-override-contract.ts'
import { describeResourceCounts } from './resource-count-contract.ts'
import { describeTokenParts } from './token-contract.ts'

// Starting a PostgreSQL in this process takes seconds of it, so one is emptied before each test.
let folder: string
let database: Database
const listeners = new Set<ChangeListener>()

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-directory-'))
  await copyEmptyDirectory(folder)
  database = await openEmbedded({ folder, queryTimeoutMs: 10_000 })
  await database.listen({
    changed: (payload) => {
      for (const listener of listeners) listener.changed(payload)
    },
    lost: () => undefined,
    restored: () => undefined,
  })
}, 60_000)
afterAll(async () => {
  await database.close()
  await rm(folder, { recursive: true })
})

const empty = statement(
  `DO $$ BEGIN
     EXECUTE (SELECT 'TRUNCATE ' || string_agg(quote_ident(tablename), ', ') || ' CASCADE'
              FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'schema_migrations');
   END $$`,
  z.unknown(),
)

async function open(): Promise<Directory> {
  if (listeners.size > 0) throw new Error('A test opens one directory at a time')
  await database.query(empty)
  let own: ChangeListener | undefined
  const shared: Database = {
    ...database,
    listen: (listener) => {
      own = listener
      listeners.add(listener)
      return Promise.resolve()
    },
    close: () => {
      if (own !== undefined) listeners.delete(own)
      return Promise.resolve()
    },
  }
  const directory = await openDirectoryOn(shared, { ...testOptions().options, folder, peppers })
  onTestFinished(() => directory.close())
  return directory
}

describeDirectory(open)
describeRoleBindings(open)
describeEnvironments(open)
describeTokenParts(open)
describeManagedParts(open)
describeLimitOverrides(open)
describeResourceCounts(open)
