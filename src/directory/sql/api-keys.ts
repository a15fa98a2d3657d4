import { z } from 'zod'
import { statement } from '../database.ts'
import { ignored, instant, optionalText } from './columns.ts'
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
)

/** $1: organization id, $2: id to begin after, $3: how many */
export const pageOfKeys = statement(
  `SELECT k.id, k.owner_id, k.display_name, k.description,
     k.opens, k.resource_kind, k.resource_id, k.resource_environment,
     k.revoked_at IS NOT NULL AS is_revoked,
     (extract(epoch FROM k.created_at) * 1000)::float8 AS created_at_ms,
     (extract(epoch FROM k.expires_at) * 1000)::float8 AS expires_at_ms,
     (extract(epoch FROM u.last_used_at) * 1000)::float8 AS last_used_at_ms
   FROM api_keys k
   JOIN principals p ON p.id = k.owner_id
   LEFT JOIN api_key_uses u ON u.key_id = k.id
   WHERE p.organization_id = $1::uuid AND ($2::text IS NULL OR k.id > $2)
   ORDER BY k.id LIMIT $3::int4`,
  z.object({
    id: z.string(),
    owner_id: z.string(),
    display_name: z.string(),
    description: z.string(),
    ...resource,
    is_revoked: z.boolean(),
    created_at_ms: z.number(),
    expires_at_ms: instant,
    last_used_at_ms: instant,
  }),
)

/** $1: key id, $2: owner id, $3: display name, $4: description, $5: opens, $6: resource kind,
 * $7: resource id, $8: environment, $9: expiry in ms */
export const insertKey = statement(
  `INSERT INTO api_keys (id, owner_id, display_name, description, opens,
     resource_kind, resource_id, resource_environment, expires_at)
   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, to_timestamp($9::float8 / 1000))`,
  ignored,
)

/** No other transaction changes the key before this one ends. $1: key id */
export const lockKey = statement(
  `SELECT k.revoked_at IS NOT NULL AS is_revoked, p.organization_id::text AS organization_id
   FROM api_keys k JOIN principals p ON p.id = k.owner_id
   WHERE k.id = $1 FOR UPDATE OF k`,
  z.object({ is_revoked: z.boolean(), organization_id: z.string() }),
)

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
