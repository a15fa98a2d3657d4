import { z } from 'zod'
import { statement } from '../database.ts'
import { history, historyColumns, ignored, total } from './columns.ts'

const environment = z.object({
  id: z.string(),
  organization_id: z.string(),
  display_name: z.string(),
  ...history,
})

export type EnvironmentRow = z.infer<typeof environment>

const columns = `id, organization_id::text AS organization_id, display_name, ${historyColumns}`

/** $1: id, $2: organization id, $3: display name */
export const insertEnvironment = statement(
  `INSERT INTO environments (id, organization_id, display_name)
   VALUES ($1, $2::uuid, $3) RETURNING ${columns}`,
  environment,
)

const filter = `organization_id = $1::uuid AND ($2::text IS NULL OR display_name = $2)`

/** $1: organization id, $2: display name, $3: id to begin from, $4: backward, $5: how many */
export const pageOfEnvironments = statement(
  `SELECT * FROM (
     (SELECT ${columns} FROM environments
      WHERE ${filter} AND NOT $4::bool AND ($3::text IS NULL OR id > $3)
      ORDER BY id LIMIT $5::int4)
     UNION ALL
     (SELECT ${columns} FROM environments
      WHERE ${filter} AND $4::bool AND ($3::text IS NULL OR id < $3)
      ORDER BY id DESC LIMIT $5::int4)
   ) AS page ORDER BY id`,
  environment,
)

/** $1 and $2 as in a page */
export const countEnvironments = statement(
  `SELECT count(*)::int4 AS total FROM environments WHERE ${filter}`,
  total,
)

/** $1: id */
export const findEnvironment = statement(
  `SELECT ${columns} FROM environments WHERE id = $1`,
  environment,
)

/** Nobody else changes the environment before the transaction ends. $1: id */
export const lockEnvironment = statement(
  `SELECT ${columns} FROM environments WHERE id = $1 FOR UPDATE`,
  environment,
)

/** $1: id, $2: display name */
export const updateEnvironment = statement(
  `UPDATE environments SET display_name = $2, updated_at = now()
   WHERE id = $1 RETURNING ${columns}`,
  environment,
)

/** $1: id */
export const deleteEnvironmentById = statement('DELETE FROM environments WHERE id = $1', ignored)
