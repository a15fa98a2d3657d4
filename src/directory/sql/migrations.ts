import { z } from 'zod'
import { statement } from '../database.ts'
import { ignored } from './columns.ts'

/** The number is arbitrary, but the same in every version of the program. Held until the commit. */
export const lockMigrations = statement('SELECT pg_advisory_xact_lock(7110001)', ignored)

export const createVersionTable = `
  CREATE TABLE IF NOT EXISTS schema_migrations (
    version integer PRIMARY KEY,
    name text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
  )`

export const readVersion = statement(
  'SELECT coalesce(max(version), 0)::int4 AS version FROM schema_migrations',
  z.object({ version: z.int() }),
)

/** $1: version, $2: file name */
export const noteMigration = statement(
  'INSERT INTO schema_migrations (version, name) VALUES ($1, $2)',
  ignored,
)
