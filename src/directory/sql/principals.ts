import { z } from 'zod'
import { statement } from '../database.ts'
import { history, historyColumns, ignored, optionalText, total } from './columns.ts'

const principal = z.object({
  id: z.string(),
  kind: z.enum(['user', 'service-account']),
  organization_id: z.string(),
  display_name: z.string(),
  description: z.string(),
  email: optionalText,
  ...history,
})

export type PrincipalRow = z.infer<typeof principal>

const columns = `id, kind, organization_id::text AS organization_id, display_name, description, email,
  ${historyColumns}`

/** $1: id, $2: organization id, $3: email, $4: display name */
export const insertUser = statement(
  `INSERT INTO principals (id, kind, organization_id, email, display_name)
   VALUES ($1, 'user', $2::uuid, $3, $4) RETURNING ${columns}`,
  principal,
)

/** $1: id, $2: organization id, $3: display name, $4: description */
export const insertServiceAccount = statement(
  `INSERT INTO principals (id, kind, organization_id, display_name, description)
   VALUES ($1, 'service-account', $2::uuid, $3, $4) RETURNING ${columns}`,
  principal,
)

const filter = `organization_id = $1::uuid AND ($2::text IS NULL OR kind = $2)
  AND ($3::text IS NULL OR lower(email) = lower($3))
  AND ($4::text IS NULL OR display_name = $4)`

/** $1: organization id, $2: kind, $3: email, $4: display name, $5: id to begin from, $6: backward,
 * $7: how many */
export const pageOfPrincipals = statement(
  `SELECT * FROM (
     (SELECT ${columns} FROM principals
      WHERE ${filter} AND NOT $6::bool AND ($5::text IS NULL OR id > $5)
      ORDER BY id LIMIT $7::int4)
     UNION ALL
     (SELECT ${columns} FROM principals
      WHERE ${filter} AND $6::bool AND ($5::text IS NULL OR id < $5)
      ORDER BY id DESC LIMIT $7::int4)
   ) AS page ORDER BY id`,
  principal,
)

/** $1 to $4 as in a page */
export const countPrincipals = statement(
  `SELECT count(*)::int4 AS total FROM principals WHERE ${filter}`,
  total,
)

/** $1: principal id */
export const findPrincipal = statement(`SELECT ${columns} FROM principals WHERE id = $1`, principal)

/** The principal cannot be deleted before the transaction ends. $1: principal id */
export const holdPrincipal = statement(
  `SELECT organization_id::text AS organization_id FROM principals WHERE id = $1 FOR KEY SHARE`,
  z.object({ organization_id: z.string() }),
)

/** No key can be made for the principal before the transaction ends. $1: principal id */
export const lockPrincipal = statement(
  `SELECT ${columns} FROM principals WHERE id = $1 FOR UPDATE`,
  principal,
)

/** $1: id, $2: display name, $3: description */
export const updatePrincipal = statement(
  `UPDATE principals SET display_name = $2, description = $3, updated_at = now()
   WHERE id = $1 RETURNING ${columns}`,
  principal,
)

/** $1: principal id */
export const deletePrincipalById = statement('DELETE FROM principals WHERE id = $1', ignored)
