import { z } from 'zod'
import { statement } from '../database.ts'
import { total } from './columns.ts'

const grant = z.object({
  id: z.string(),
  organization_id: z.string(),
  name: z.string(),
  created_at_ms: z.number(),
})

export type GrantRow = z.infer<typeof grant>

const columns = `id, organization_id::text AS organization_id, name,
  (extract(epoch FROM created_at) * 1000)::float8 AS created_at_ms`

/** $1: organization id */
export const grantsOfOrganization = statement(
  'SELECT name FROM access_grants WHERE organization_id = $1::uuid',
  z.object({ name: z.string() }),
)

const filter = 'organization_id = $1::uuid AND ($2::text IS NULL OR name = $2)'

/** $1: organization id, $2: name or NULL, $3: id to begin from, $4: backward, $5: how many */
export const pageOfGrants = statement(
  `SELECT * FROM (
     (SELECT ${columns} FROM access_grants
      WHERE ${filter} AND NOT $4::bool AND ($3::text IS NULL OR id > $3)
      ORDER BY id LIMIT $5::int4)
     UNION ALL
     (SELECT ${columns} FROM access_grants
      WHERE ${filter} AND $4::bool AND ($3::text IS NULL OR id < $3)
      ORDER BY id DESC LIMIT $5::int4)
   ) AS page ORDER BY id`,
  grant,
)

/** $1 and $2 as in a page */
export const countGrants = statement(
  `SELECT count(*)::int4 AS total FROM access_grants WHERE ${filter}`,
  total,
)

/** $1: id */
export const findGrant = statement(`SELECT ${columns} FROM access_grants WHERE id = $1`, grant)

/** $1: organization id, $2: name */
export const insertGrant = statement(
  `INSERT INTO access_grants (organization_id, name) VALUES ($1::uuid, $2) RETURNING ${columns}`,
  grant,
)

/** $1: organization id, $2: name */
export const deleteGrant = statement(
  `DELETE FROM access_grants WHERE organization_id = $1::uuid AND name = $2 RETURNING ${columns}`,
  grant,
)
