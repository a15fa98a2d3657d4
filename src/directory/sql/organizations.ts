import { z } from 'zod'
import { statement } from '../database.ts'
import { history, historyColumns, ignored, total } from './columns.ts'

const id = z.object({ id: z.string() })

const organization = z.object({ id: z.string(), display_name: z.string(), ...history })

export type OrganizationRow = z.infer<typeof organization>

const columns = `id::text AS id, display_name, ${historyColumns}`

/** Held until the commit, so that of two processes that fill an empty directory one comes second. */
export const lockBootstrap = statement('SELECT pg_advisory_xact_lock(7110002)', ignored)

export const anyOrganization = statement('SELECT id::text AS id FROM organizations LIMIT 1', id)

/** $1: display name */
export const insertOrganization = statement(
  `INSERT INTO organizations (display_name) VALUES ($1) RETURNING ${columns}`,
  organization,
)

/** $1: id to begin from, $2: backward, $3: how many */
export const pageOfOrganizations = statement(
  `SELECT * FROM (
     (SELECT ${columns} FROM organizations
      WHERE NOT $2::bool AND ($1::uuid IS NULL OR organizations.id > $1::uuid)
      ORDER BY organizations.id LIMIT $3::int4)
     UNION ALL
     (SELECT ${columns} FROM organizations
      WHERE $2::bool AND ($1::uuid IS NULL OR organizations.id < $1::uuid)
      ORDER BY organizations.id DESC LIMIT $3::int4)
   ) AS page ORDER BY id`,
  organization,
)

export const countOrganizations = statement(
  'SELECT count(*)::int4 AS total FROM organizations',
  total,
)

/** $1: id */
export const findOrganization = statement(
  `SELECT ${columns} FROM organizations WHERE organizations.id = $1::uuid`,
  organization,
)

/** Nobody else changes the organization before the transaction ends. $1: id */
export const lockOrganization = statement(
  `SELECT ${columns} FROM organizations WHERE organizations.id = $1::uuid FOR NO KEY UPDATE`,
  organization,
)

/** $1: id, $2: display name */
export const updateOrganization = statement(
  `UPDATE organizations SET display_name = $2, updated_at = now()
   WHERE organizations.id = $1::uuid RETURNING ${columns}`,
  organization,
)
