import { z } from 'zod'
import { statement } from '../database.ts'
import { ignored } from './columns.ts'

/** $1: organization id */
export const grantsOfOrganization = statement(
  'SELECT name FROM access_grants WHERE organization_id = $1::uuid',
  z.object({ name: z.string() }),
)

/** $1: organization id, $2: name to begin after, $3: how many */
export const pageOfGrants = statement(
  `SELECT name, (extract(epoch FROM created_at) * 1000)::float8 AS created_at_ms
   FROM access_grants
   WHERE organization_id = $1::uuid AND ($2::text IS NULL OR name > $2)
   ORDER BY name LIMIT $3::int4`,
  z.object({ name: z.string(), created_at_ms: z.number() }),
)

/** $1: organization id, $2: name */
export const insertGrant = statement(
  'INSERT INTO access_grants (organization_id, name) VALUES ($1::uuid, $2)',
  ignored,
)

/** $1: organization id, $2: name */
export const deleteGrant = statement(
  'DELETE FROM access_grants WHERE organization_id = $1::uuid AND name = $2 RETURNING name',
  z.object({ name: z.string() }),
)
