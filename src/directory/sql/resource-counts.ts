import { z } from 'zod'
import { statement } from '../database.ts'
import { ignored } from './columns.ts'

const occupied = z.object({ occupied: z.number() })

/**
 * No row where there is no room. One statement, whose condition is looked at under the row's lock.
 * $1: organization id or NULL, $2: partner id or NULL, $3: principal id, $4: quota, $5: reservation,
 * $6: seconds until it lapses, $7: limit
 */
export const reserveOne = statement(
  `INSERT INTO resource_counts AS c (organization_id, partner_id, principal_id, quota, reservations)
   VALUES ($1::uuid, $2, $3, $4,
     jsonb_build_object($5::text, extract(epoch FROM clock_timestamp()) + $6::float8))
   ON CONFLICT (owner_id, principal_id, quota) DO UPDATE
   SET reservations = live_reservations(c.reservations) || excluded.reservations
   WHERE c.used + count_reservations(live_reservations(c.reservations)) < $7::float8
   RETURNING (used + count_reservations(reservations))::float8 AS occupied`,
  occupied,
)

/** $1: owner id, $2: principal id, $3: quota, $4: reservation, $5: seconds until it lapses */
export const renewReservation = statement(
  `UPDATE resource_counts SET reservations = reservations ||
     jsonb_build_object($4::text, extract(epoch FROM clock_timestamp()) + $5::float8)
   WHERE owner_id = $1 AND principal_id = $2 AND quota = $3 AND reservations ? $4::text
   RETURNING quota`,
  ignored,
)

/** $1: owner id, $2: principal id, $3: quota, $4: reservation */
export const releaseReservation = statement(
  `UPDATE resource_counts SET reservations = reservations - $4::text
   WHERE owner_id = $1 AND principal_id = $2 AND quota = $3 AND reservations ? $4::text
   RETURNING quota`,
  ignored,
)

/**
 * No row where it was counted before.
 * $1: organization id or NULL, $2: partner id or NULL, $3: principal id, $4: quota, $5: reservation or
 * another id of the change, $6: how many more
 */
export const countChange = statement(
  `WITH fresh AS (
     INSERT INTO counted_changes (id) VALUES ($5) ON CONFLICT DO NOTHING RETURNING id
   )
   INSERT INTO resource_counts AS c (organization_id, partner_id, principal_id, quota, used)
   SELECT $1::uuid, $2::text, $3::text, $4::text, greatest($6::int4, 0) FROM fresh
   ON CONFLICT (owner_id, principal_id, quota) DO UPDATE
   SET used = greatest(c.used + $6::int4, 0), reservations = c.reservations - $5::text
   RETURNING used::float8 AS used`,
  z.object({ used: z.number() }),
)

/** $1: owner id, $2: principal ids */
export const readCounts = statement(
  `SELECT principal_id, quota, used::float8 AS used FROM resource_counts
   WHERE owner_id = $1 AND principal_id = ANY($2::text[])`,
  z.object({ principal_id: z.string(), quota: z.string(), used: z.number() }),
)

/** Nobody tells a change again after a day. So many at a time that no statement runs for long. */
export const pruneCountedChanges = statement(
  `DELETE FROM counted_changes WHERE id IN (
     SELECT id FROM counted_changes WHERE counted_at < now() - interval '1 day'
     ORDER BY counted_at LIMIT 1000 FOR UPDATE SKIP LOCKED)
   RETURNING id`,
  ignored,
)
