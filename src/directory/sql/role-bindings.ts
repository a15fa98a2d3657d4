import { z } from 'zod'
import { statement } from '../database.ts'

const binding = z.object({
  id: z.string(),
  organization_id: z.string(),
  principal_id: z.string(),
  role: z.string(),
  crn_pattern: z.string(),
  created_at_ms: z.number(),
})

/** A binding as it is shown. */
export type BindingRow = z.infer<typeof binding>

const columns = `id, organization_id::text AS organization_id, principal_id, role, crn_pattern,
  (extract(epoch FROM created_at) * 1000)::float8 AS created_at_ms`

/** $1: principal id */
export const bindingsOfPrincipal = statement(
  `SELECT organization_id::text AS organization_id, role, crn_pattern
   FROM role_bindings WHERE principal_id = $1 ORDER BY id`,
  binding.pick({ organization_id: true, role: true, crn_pattern: true }),
)

/** $1: id */
export const findBinding = statement(`SELECT ${columns} FROM role_bindings WHERE id = $1`, binding)

const filter = `organization_id = $1::uuid AND ($2::text IS NULL OR principal_id = $2)
  AND ($3::text IS NULL OR role = $3) AND ($4::text IS NULL OR starts_with(crn_pattern, $4))`

/** $1: organization id, $2: principal id, $3: role, $4: what the pattern begins with, $5: id to
 * begin from, $6: backward, $7: how many */
export const pageOfBindings = statement(
  `SELECT * FROM (
     (SELECT ${columns} FROM role_bindings
      WHERE ${filter} AND NOT $6::bool AND ($5::text IS NULL OR id > $5)
      ORDER BY id LIMIT $7::int4)
     UNION ALL
     (SELECT ${columns} FROM role_bindings
      WHERE ${filter} AND $6::bool AND ($5::text IS NULL OR id < $5)
      ORDER BY id DESC LIMIT $7::int4)
   ) AS page ORDER BY id`,
  binding,
)

/** $1 to $4 as in a page */
export const countBindings = statement(
  `SELECT count(*)::int4 AS total FROM role_bindings WHERE ${filter}`,
  z.object({ total: z.int() }),
)

/** Neither the pool nor its provider can be deleted before the transaction ends. $1: pool id */
export const holdPool = statement(
  `SELECT p.organization_id::text AS organization_id
   FROM identity_pools l JOIN identity_providers p ON p.id = l.provider_id
   WHERE l.id = $1 FOR KEY SHARE`,
  z.object({ organization_id: z.string() }),
)

/** $1: id, $2: organization id, $3: user or service account, or $4: pool, $5: role, $6: pattern */
export const insertBinding = statement(
  `INSERT INTO role_bindings (id, organization_id, member_id, pool_id, role, crn_pattern)
   VALUES ($1, $2::uuid, $3, $4, $5, $6) RETURNING ${columns}`,
  binding,
)

/** $1: id */
export const deleteBinding = statement(
  `DELETE FROM role_bindings WHERE id = $1 RETURNING ${columns}`,
  binding,
)

/** $1: principal ids */
export const deleteBindingsOfPrincipals = statement(
  'DELETE FROM role_bindings WHERE principal_id = ANY ($1::text[]) RETURNING id',
  z.object({ id: z.string() }),
)
