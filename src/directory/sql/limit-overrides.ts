import { z } from 'zod'
import { statement } from '../database.ts'
import { history, historyColumns, ignored, total } from './columns.ts'

export const allOverrides = statement(
  `SELECT owner_id, principal_id, limit_name, value::float8 AS value FROM limit_overrides
   ORDER BY owner_id, principal_id, limit_name`,
  z.object({
    owner_id: z.string(),
    principal_id: z.string(),
    limit_name: z.string(),
    value: z.number(),
  }),
)

const override = z.object({
  id: z.string(),
  owner_id: z.string(),
  principal_id: z.string(),
  limit_name: z.string(),
  value: z.number(),
  ...history,
})

export type OverrideRow = z.infer<typeof override>

const columns = `id, owner_id, principal_id, limit_name, value::float8 AS value,
  ${historyColumns}`

/** $1: owner id, $2: id to begin from, $3: backward, $4: how many */
export const pageOfOverrides = statement(
  `SELECT * FROM (
     (SELECT ${columns} FROM limit_overrides
      WHERE owner_id = $1 AND NOT $3::bool AND ($2::text IS NULL OR id > $2)
      ORDER BY id LIMIT $4::int4)
     UNION ALL
     (SELECT ${columns} FROM limit_overrides
      WHERE owner_id = $1 AND $3::bool AND ($2::text IS NULL OR id < $2)
      ORDER BY id DESC LIMIT $4::int4)
   ) AS page ORDER BY id`,
  override,
)

/** $1: owner id */
export const countOverrides = statement(
  'SELECT count(*)::int4 AS total FROM limit_overrides WHERE owner_id = $1',
  total,
)

/** $1: id */
export const findOverride = statement(
  `SELECT ${columns} FROM limit_overrides WHERE id = $1`,
  override,
)

/** $1: owner id, $2: principal id, $3: limit name */
export const findNamedOverride = statement(
  `SELECT ${columns} FROM limit_overrides
   WHERE owner_id = $1 AND principal_id = $2 AND limit_name = $3`,
  override,
)

/** $1: organization id or NULL, $2: partner id or NULL, $3: principal id, $4: limit name, $5: value */
export const insertOverride = statement(
  `INSERT INTO limit_overrides (organization_id, partner_id, principal_id, limit_name, value)
   VALUES ($1::uuid, $2, $3, $4, $5::float8::bigint) RETURNING ${columns}`,
  override,
)

/** No other transaction changes the override before this one ends. $1: id */
export const lockOverride = statement(
  `SELECT ${columns} FROM limit_overrides WHERE id = $1 FOR UPDATE`,
  override,
)

/** $1: id, $2: value */
export const updateOverride = statement(
  `UPDATE limit_overrides SET value = $2::float8::bigint, updated_at = now() WHERE id = $1
   RETURNING ${columns}`,
  override,
)

/** $1: id */
export const deleteOverride = statement('DELETE FROM limit_overrides WHERE id = $1', ignored)
