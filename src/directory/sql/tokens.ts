import { z } from 'zod'
import { statement } from '../database.ts'
import { ignored } from './columns.ts'

/**
 * Also of tokens that have just expired: whoever verifies them allows for clocks that differ, by a
 * minute at most. They are deleted later still.
 */
export const liveRevocations = statement(
  `SELECT jti FROM token_revocations WHERE expires_at > now() - interval '2 minutes'`,
  z.object({ jti: z.string() }),
)

/** No row where the token is revoked already. $1: jti, $2: expiry in ms */
export const insertRevocation = statement(
  `INSERT INTO token_revocations (jti, expires_at)
   VALUES ($1, to_timestamp($2::float8 / 1000)) ON CONFLICT DO NOTHING RETURNING jti`,
  z.object({ jti: z.string() }),
)

/** No row where the assertion was used before. $1: client id, $2: jti, $3: expiry in ms */
export const insertUsedAssertion = statement(
  `INSERT INTO used_assertions (client_id, jti, expires_at)
   VALUES ($1, $2, to_timestamp($3::float8 / 1000)) ON CONFLICT DO NOTHING RETURNING jti`,
  z.object({ jti: z.string() }),
)

/** So many at a time that no statement runs for long. */
export const pruneRevocations = statement(
  `DELETE FROM token_revocations WHERE jti IN (
     SELECT jti FROM token_revocations WHERE expires_at < now() - interval '5 minutes'
     ORDER BY expires_at LIMIT 1000 FOR UPDATE SKIP LOCKED)
   RETURNING jti`,
  ignored,
)

/**
 * Kept for longer than clocks may differ: what counts as expired here may not yet do so where
 * assertions are verified.
 */
export const pruneUsedAssertions = statement(
  `DELETE FROM used_assertions WHERE (client_id, jti) IN (
     SELECT client_id, jti FROM used_assertions WHERE expires_at < now() - interval '5 minutes'
     ORDER BY expires_at LIMIT 1000 FOR UPDATE SKIP LOCKED)
   RETURNING jti`,
  ignored,
)
