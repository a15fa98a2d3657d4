import { z } from 'zod'
import { statement, type Statement } from '../database.ts'
import { bytes, ignored, instant, optionalText } from './columns.ts'

/** The statements about the two secrets of one kind of credential. */
export type SecretSlots = {
  /** The slots whose secrets still work, the newest first. $1: owner id */
  readonly live: Statement<{ slot: number }>
  /** Never later than a secret expires already. $1: owner id, $2: expiry in ms */
  readonly expire: Statement<object>
  /** $1: owner id, $2: slot, $3: digest, $4: pepper id */
  readonly put: Statement<object>
  /** $1: owner id, $2: slot */
  readonly remove: Statement<object>
}

/** The columns of a secret, joined to its owner; all NULL where the owner has none. */
export const secretColumns = {
  digest: bytes.nullable(),
  pepper_id: optionalText,
  secret_expires_at_ms: instant,
}

const slot = z.object({ slot: z.int() })

export const apiKeySecrets: SecretSlots = {
  live: statement(
    `SELECT slot::int4 AS slot FROM api_key_secrets
     WHERE key_id = $1 AND (expires_at IS NULL OR expires_at > now())
     ORDER BY created_at DESC, slot DESC`,
    slot,
  ),
  expire: statement(
    `UPDATE api_key_secrets SET expires_at = least(expires_at, to_timestamp($2::float8 / 1000))
     WHERE key_id = $1`,
    ignored,
  ),
  put: statement(
    `INSERT INTO api_key_secrets (key_id, slot, digest, pepper_id) VALUES ($1, $2::int2, $3, $4)
     ON CONFLICT (key_id, slot) DO UPDATE
     SET digest = excluded.digest, pepper_id = excluded.pepper_id, created_at = now(),
       expires_at = NULL`,
    ignored,
  ),
  remove: statement('DELETE FROM api_key_secrets WHERE key_id = $1 AND slot = $2::int2', ignored),
}

export const partnerClientSecrets: SecretSlots = {
  live: statement(
    `SELECT slot::int4 AS slot FROM partner_client_secrets
     WHERE client_id = $1 AND (expires_at IS NULL OR expires_at > now())
     ORDER BY created_at DESC, slot DESC`,
    slot,
  ),
  expire: statement(
    `UPDATE partner_client_secrets
     SET expires_at = least(expires_at, to_timestamp($2::float8 / 1000)) WHERE client_id = $1`,
    ignored,
  ),
  put: statement(
    `INSERT INTO partner_client_secrets (client_id, slot, digest, pepper_id)
     VALUES ($1, $2::int2, $3, $4)
     ON CONFLICT (client_id, slot) DO UPDATE
     SET digest = excluded.digest, pepper_id = excluded.pepper_id, created_at = now(),
       expires_at = NULL`,
    ignored,
  ),
  remove: statement(
    'DELETE FROM partner_client_secrets WHERE client_id = $1 AND slot = $2::int2',
    ignored,
  ),
}
