import { z } from 'zod'
import { statement } from '../database.ts'
import { times } from './columns.ts'

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

/** $1: owner id, $2 and $3: principal id and limit name to begin after, $4: how many */
export const pageOfOverrides = statement(
  `SELECT principal_id, limit_name, value::float8 AS value,
     (extract(epoch FROM created_at) * 1000)::float8 AS created_at_ms,
     (extract(epoch FROM updated_at) * 1000)::float8 AS updated_at_ms
   FROM limit_overrides
   WHERE owner_id = $1 AND ($2::text IS NULL OR (principal_id, limit_name) > ($2, $3::text))
   ORDER BY principal_id, limit_name LIMIT $4::int4`,
  z.object({
    principal_id: z.string(),
    limit_name: z.string(),
    value: z.number(),
    ...times,
  }),
)

/** $1: organization id or NULL, $2: partner id or NULL, $3: principal id, $4: limit name, $5: value */
export const putOverride = statement(
  `INSERT INTO limit_overrides (organization_id, partner_id, principal_id, limit_name, value)
   VALUES ($1::uuid, $2, $3, $4, $5::float8::bigint)
   ON CONFLICT (owner_id, principal_id, limit_name)
   DO UPDATE SET value = excluded.value, updated_at = now()
   RETURNING limit_name`,
  z.object({ limit_name: z.string() }),
)

/** $1: owner id, $2: principal id, $3: limit name */
export const deleteOverride = statement(
  `DELETE FROM limit_overrides WHERE owner_id = $1 AND principal_id = $2 AND limit_name = $3
   RETURNING limit_name`,
  z.object({ limit_name: z.string() }),
)
