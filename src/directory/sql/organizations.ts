import { z } from 'zod'
import { statement } from '../database.ts'
import { ignored } from './columns.ts'

const id = z.object({ id: z.string() })

/** Held until the commit, so that of two processes that fill an empty directory one comes second. */
export const lockBootstrap = statement('SELECT pg_advisory_xact_lock(7110002)', ignored)

export const anyOrganization = statement('SELECT id::text AS id FROM organizations LIMIT 1', id)

/** $1: display name */
export const insertOrganization = statement(
  'INSERT INTO organizations (display_name) VALUES ($1) RETURNING id::text AS id',
  id,
)

/** $1: id to begin after, $2: how many */
export const pageOfOrganizations = statement(
  `SELECT id::text AS id, display_name FROM organizations
   WHERE $1::uuid IS NULL OR id > $1::uuid ORDER BY id LIMIT $2::int4`,
  z.object({ id: z.string(), display_name: z.string() }),
)
