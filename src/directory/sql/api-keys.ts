import { z } from 'zod'
import { statement } from '../database.ts'
import { history, historyColumns, ignored, instant, optionalText, total } from './columns.ts'
import { secretColumns } from './secret-slots.ts'

const resource = {
  opens: z.enum(['cloud', 'global', 'resource']),
  resource_kind: optionalText,
  resource_id: optionalText,
  resource_environment: optionalText,
}

/** A key joined with one of its secrets: a row for each, and one row for a key without any. */
export type KeyRow = z.infer<typeof findKey.row>

/** $1: key id */
export const findKey = statement(
  `SELECT k.id, k.opens, k.resource_kind, k.resource_id, k.resource_environment,
     k.revoked_at IS NOT NULL AS is_revoked,
     (extract(epoch FROM k.expires_at) * 1000)::float8 AS expires_at_ms,
     p.id AS owner_id, p.kind AS owner_kind, p.organization_id::text AS organization_id,
     s.digest, s.pepper_id,
     (extract(epoch FROM s.expires_at) * 1000)::float8 AS secret_expires_at_ms
   FROM api_keys k
   JOIN principals p ON p.id = k.owner_id
   LEFT JOIN api_key_secrets s ON s.key_id = k.id
   WHERE k.id = $1
   ORDER BY s.slot`,
  z.object({
    id: z.string(),
    ...resource,
    is_revoked: z.boolean(),
    expires_at_ms: instant,
    owner_id: z.string(),
    owner_kind: z.enum(['user', 'service-account']),
    organization_id: z.string(),
    ...secretColumns,
  }),
  'find-key',
)

const listedKey = z.object({
  id: z.string(),
  organization_id: z.string(),
  owner_id: z.string(),
  display_name: z.string(),
  description: z.string(),
  ...resource,
  is_revoked: z.boolean(),
  ...history,
  expires_at_ms: instant,
  last_used_at_ms: instant,
})

/** A key as lists show it. */
export type ListedKeyRow = z.infer<typeof listedKey>

const columns = `id, organization_id::text AS organization_id, owner_id, display_name, description,
  opens, resource_kind, resource_id, resource_environment, revoked_at IS NOT NULL AS is_revoked,
  ${historyColumns}, (extract(epoch FROM expires_at) * 1000)::float8 AS expires_at_ms,
  (SELECT (extract(epoch FROM u.last_used_at) * 1000)::float8 FROM api_key_uses u
   WHERE u.key_id = api_keys.id) AS last_used_at_ms`

const filter = `organization_id = $1::uuid AND ($2::text IS NULL OR owner_id = $2)
  AND ($3::text IS NULL OR resource_id = $3 OR opens = $3)`

/** $1: organization id, $2: owner id, $3: id of a resource or what is opened in its place, $4: id
 * to begin from, $5: backward, $6: how many */
export const pageOfKeys = statement(
  `SELECT * FROM (
     (SELECT ${columns} FROM api_keys
      WHERE ${filter} AND NOT $5::bool AND ($4::text IS NULL OR id > $4)
      ORDER BY id LIMIT $6::int4)
     UNION ALL
     (SELECT ${columns} FROM api_keys
      WHERE ${filter} AND $5::bool AND ($4::text IS NULL OR id < $4)
      ORDER BY id DESC LIMIT $6::int4)
   ) AS page ORDER BY id`,
  listedKey,
)

/** $1 to $3 as in a page */
export const countKeys = statement(
  `SELECT count(*)::int4 AS total FROM api_keys WHERE ${filter}`,
  total,
)

/** $1: key id */
export const findListedKey = statement(`SELECT ${columns} FROM api_keys WHERE id = $1`, listedKey)

/** $1: key id, $2: owner id, $3: display name, $4: description, $5: opens, $6: resource kind,
 * $7: resource id, $8: environment, $9: expiry in ms */
export const insertKey = statement(
  `INSERT INTO api_keys (id, owner_id, display_name, description, opens,
     resource_kind, resource_id, resource_environment, expires_at)
   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, to_timestamp($9::float8 / 1000))`,
  ignored,
)

/** No other transaction changes the key before this one ends. $1: key id */
export const lockKey = statement('SELECT id FROM api_keys WHERE id = $1 FOR UPDATE', ignored)

/** $1: key id, $2: display name, $3: description, $4: expiry in ms */
export const updateKey = statement(
  `UPDATE api_keys SET display_name = $2, description = $3,
     expires_at = to_timestamp($4::float8 / 1000), updated_at = now()
   WHERE id = $1`,
  ignored,
)

/** $1: key id */
export const deleteKeyById = statement('DELETE FROM api_keys WHERE id = $1', ignored)

/** $1: key id */
export const revokeKey = statement(
  'UPDATE api_keys SET revoked_at = now(), updated_at = now() WHERE id = $1',
  ignored,
)

/** $1: key id, $2: expiry in ms */
export const setKeyExpiry = statement(
  `UPDATE api_keys SET expires_at = to_timestamp($2::float8 / 1000), updated_at = now()
   WHERE id = $1`,
  ignored,
)

/** $1: owner id */
export const deleteKeysOfOwner = statement(
  'DELETE FROM api_keys WHERE owner_id = $1 RETURNING id',
  z.object({ id: z.string() }),
)

/** $1: kind, $2: id and $3: environment of a resource */
export const deleteKeysOfResource = statement(
  `DELETE FROM api_keys
   WHERE opens = 'resource' AND resource_kind = $1 AND resource_id = $2
     AND resource_environment IS NOT DISTINCT FROM $3::text
   RETURNING id`,
  z.object({ id: z.string() }),
)

/**
 * Keys that are gone meanwhile are passed over. In order of their ids, so that two replicas that
 * note the same keys do not deadlock. $1: key ids
 */
export const noteUses = statement(
  `INSERT INTO api_key_uses (key_id, last_used_at)
   SELECT id, now() FROM api_keys WHERE id = ANY ($1::text[]) ORDER BY id FOR KEY SHARE
   ON CONFLICT (key_id) DO UPDATE SET last_used_at = excluded.last_used_at`,
  ignored,
)
