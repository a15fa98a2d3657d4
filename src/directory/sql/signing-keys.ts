import { z } from 'zod'
import { statement } from '../database.ts'
import { bytes, ignored, instant, optionalText } from './columns.ts'

const shown = {
  kid: z.string(),
  algorithm: z.enum(['EdDSA', 'ES256']),
  public_jwk: z.record(z.string(), z.string()).readonly(),
  state: z.enum(['next', 'current', 'previous']),
  created_at_ms: z.number(),
  current_since_ms: instant,
  keep_until_ms: instant,
}

/** A key with its private part as it is stored. */
export type SigningKeyRow = z.infer<typeof allSigningKeys.row>

/** Held until the commit, so that processes that make or rotate keys at once do it one by one. */
export const lockSigningKeys = statement('SELECT pg_advisory_xact_lock(7110003)', ignored)

/** The newest first. */
export const allSigningKeys = statement(
  `SELECT kid, algorithm, public_jwk, state, sealed_private_key, pepper_id,
     (extract(epoch FROM created_at) * 1000)::float8 AS created_at_ms,
     (extract(epoch FROM current_since) * 1000)::float8 AS current_since_ms,
     (extract(epoch FROM keep_until) * 1000)::float8 AS keep_until_ms
   FROM signing_keys ORDER BY created_at DESC, kid`,
  z.object({ ...shown, sealed_private_key: bytes.nullable(), pepper_id: optionalText }),
)

/** The newest first; without private parts. */
export const allPublicKeys = statement(
  `SELECT kid, algorithm, public_jwk, state,
     (extract(epoch FROM created_at) * 1000)::float8 AS created_at_ms,
     (extract(epoch FROM current_since) * 1000)::float8 AS current_since_ms,
     (extract(epoch FROM keep_until) * 1000)::float8 AS keep_until_ms
   FROM signing_keys ORDER BY created_at DESC, kid`,
  z.object(shown),
)

/** At most one current and one next key. $1: how long one must have been published, in ms */
export const keysInUse = statement(
  `SELECT kid, state, created_at > now() - $1::float8 * interval '1 millisecond' AS is_too_new
   FROM signing_keys WHERE state IN ('current', 'next')`,
  z.object({ kid: z.string(), state: z.enum(['current', 'next']), is_too_new: z.boolean() }),
)

/** The kid that is to take over; none where it is not time. $1: how long a key signs, in ms, $2: how
 * long the next one must have been published, in ms */
export const dueRotation = statement(
  `SELECT next.kid FROM signing_keys AS next, signing_keys AS used
   WHERE next.state = 'next' AND used.state = 'current'
     AND used.current_since <= now() - $1::float8 * interval '1 millisecond'
     AND next.created_at <= now() - $2::float8 * interval '1 millisecond'`,
  z.object({ kid: z.string() }),
)

/** $1: kid, $2: algorithm, $3: public key as JSON text, $4: sealed private key, $5: pepper id,
 * $6: state */
export const insertSigningKey = statement(
  `INSERT INTO signing_keys
     (kid, algorithm, public_jwk, sealed_private_key, pepper_id, state, current_since)
   VALUES ($1, $2, $3::text::jsonb, $4, $5, $6, CASE $6 WHEN 'current' THEN now() END)`,
  ignored,
)

/** Nothing is signed with it any more, so its private part goes. $1: kid, $2: kept for, in ms */
export const retireSigningKey = statement(
  `UPDATE signing_keys SET state = 'previous', sealed_private_key = NULL, pepper_id = NULL,
     keep_until = now() + $2::float8 * interval '1 millisecond'
   WHERE kid = $1`,
  ignored,
)

/** $1: kid */
export const makeSigningKeyCurrent = statement(
  `UPDATE signing_keys SET state = 'current', current_since = now() WHERE kid = $1`,
  ignored,
)

export const pruneSigningKeys = statement(
  `DELETE FROM signing_keys WHERE state = 'previous' AND keep_until <= now() RETURNING kid`,
  z.object({ kid: z.string() }),
)
