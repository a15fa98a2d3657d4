import { z } from 'zod'
import { statement } from '../database.ts'
import { history, historyColumns, ignored, optionalText, total } from './columns.ts'

const resource = z.object({
  id: z.string(),
  organization_id: z.string(),
  resource_kind: z.string(),
  resource_id: z.string(),
  resource_environment: optionalText,
  display_name: z.string(),
  ...history,
})

export type ResourceRow = z.infer<typeof resource>

const columns = `id, organization_id::text AS organization_id, resource_kind, resource_id,
  resource_environment, display_name, ${historyColumns}`

/**
 * Until the commit, nobody makes the resource known: of two processes that make the resource and a
 * key for it, one comes second and sees what the other did. $1: kind, $2: id
 */
export const lockResourceNameShared = statement(
  `SELECT pg_advisory_xact_lock_shared(7110, hashtext($1::text || ' ' || $2::text))`,
  ignored,
)

/** Until the commit, nobody makes a key for the resource. $1: kind, $2: id */
export const lockResourceName = statement(
  `SELECT pg_advisory_xact_lock(7110, hashtext($1::text || ' ' || $2::text))`,
  ignored,
)

/** The resource cannot be deleted before the transaction ends. $1: kind, $2: id, $3: environment */
export const holdResource = statement(
  `SELECT organization_id::text AS organization_id FROM resources
   WHERE resource_kind = $1 AND resource_id = $2
     AND coalesce(resource_environment, '') = coalesce($3::text, '')
   FOR KEY SHARE`,
  z.object({ organization_id: z.string() }),
)

/** A key for a resource that another organization has. $1: organization id, $2: kind, $3: id,
 * $4: environment */
export const anyForeignKey = statement(
  `SELECT k.id FROM api_keys k JOIN principals p ON p.id = k.owner_id
   WHERE k.opens = 'resource' AND k.resource_kind = $2 AND k.resource_id = $3
     AND k.resource_environment IS NOT DISTINCT FROM $4::text
     AND p.organization_id <> $1::uuid
   LIMIT 1`,
  z.object({ id: z.string() }),
)

/** $1: our id, $2: organization id, $3: kind, $4: id, $5: environment, $6: display name */
export const insertResource = statement(
  `INSERT INTO resources (id, organization_id, resource_kind, resource_id, resource_environment,
     display_name)
   VALUES ($1, $2::uuid, $3, $4, $5, $6) RETURNING ${columns}`,
  resource,
)

/** No other transaction changes the resource, or makes a key for it, before this one ends. $1: our id */
export const lockResource = statement(
  `SELECT ${columns} FROM resources WHERE id = $1 FOR UPDATE`,
  resource,
)

/** $1: our id, $2: display name */
export const updateResource = statement(
  `UPDATE resources SET display_name = $2, updated_at = now() WHERE id = $1 RETURNING ${columns}`,
  resource,
)

/** $1: our id */
export const deleteResourceById = statement('DELETE FROM resources WHERE id = $1', ignored)

const filter = `organization_id = $1::uuid AND ($2::text IS NULL OR resource_kind = $2)
  AND ($3::text IS NULL OR resource_id = $3)`

/** $1: organization id, $2: kind, $3: id, $4: our id to begin from, $5: backward, $6: how many */
export const pageOfResources = statement(
  `SELECT * FROM (
     (SELECT ${columns} FROM resources
      WHERE ${filter} AND NOT $5::bool AND ($4::text IS NULL OR id > $4)
      ORDER BY id LIMIT $6::int4)
     UNION ALL
     (SELECT ${columns} FROM resources
      WHERE ${filter} AND $5::bool AND ($4::text IS NULL OR id < $4)
      ORDER BY id DESC LIMIT $6::int4)
   ) AS page ORDER BY id`,
  resource,
)

/** $1 to $3 as in a page */
export const countResources = statement(
  `SELECT count(*)::int4 AS total FROM resources WHERE ${filter}`,
  total,
)

/** $1: our id */
export const findResource = statement(`SELECT ${columns} FROM resources WHERE id = $1`, resource)
