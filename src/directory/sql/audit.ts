import { z } from 'zod'
import { statement } from '../database.ts'
import { ignored, optionalText, total } from './columns.ts'

const state = z.record(z.string(), z.unknown()).readonly().nullable()

const event = z.object({
  id: z.string(),
  occurred_at_ms: z.number(),
  actor_id: z.string(),
  request_id: optionalText,
  address: optionalText,
  organization_id: optionalText,
  action: z.string(),
  subject_kind: z.string(),
  subject_id: z.string(),
  before: state,
  after: state,
})

export type AuditRow = z.infer<typeof event>

/** $1: actor id, $2: request id, $3: address, $4: action, $5: organization id, $6: subject kind,
 * $7: subject ids, $8 and $9: what each was before and after, as JSON text or empty */
export const insertAuditEvents = statement(
  `INSERT INTO audit_events (actor_id, request_id, address, action, organization_id, subject_kind,
     subject_id, before, after)
   SELECT $1, $2, $3, $4, $5::uuid, $6, s.id, nullif(s.before, '')::jsonb, nullif(s.after, '')::jsonb
   FROM unnest($7::text[], $8::text[], $9::text[]) AS s (id, before, after)`,
  ignored,
)

const columns = `id::text AS id, (extract(epoch FROM occurred_at) * 1000)::float8 AS occurred_at_ms,
  actor_id, request_id, address, organization_id::text AS organization_id, action, subject_kind,
  subject_id, before, after`

// Written so that an index serves either case: for IS NOT DISTINCT FROM none does.
const filter = `(organization_id = $1::uuid OR ($1::uuid IS NULL AND organization_id IS NULL))
  AND ($2::text IS NULL OR actor_id = $2) AND ($3::text IS NULL OR action = $3)
  AND ($4::text IS NULL OR subject_kind = $4) AND ($5::text IS NULL OR subject_id = $5)
  AND ($6::text IS NULL OR request_id = $6)
  AND ($7::float8 IS NULL OR occurred_at >= to_timestamp($7::float8 / 1000))
  AND ($8::float8 IS NULL OR occurred_at < to_timestamp($8::float8 / 1000))`

/**
 * Newest first. $1: organization id, $2: actor id, $3: action, $4: subject kind, $5: subject id,
 * $6: request id, $7: from and $8: until, in ms; $9: id to begin from, $10: backward, $11: how many
 */
export const pageOfAuditEvents = statement(
  `SELECT * FROM (
     (SELECT ${columns}, audit_events.id AS place FROM audit_events
      WHERE ${filter} AND NOT $10::bool AND ($9::int8 IS NULL OR id < $9::int8)
      ORDER BY audit_events.id DESC LIMIT $11::int4)
     UNION ALL
     (SELECT ${columns}, audit_events.id AS place FROM audit_events
      WHERE ${filter} AND $10::bool AND ($9::int8 IS NULL OR id > $9::int8)
      ORDER BY audit_events.id LIMIT $11::int4)
   ) AS page ORDER BY place DESC`,
  event,
)

/** $1 to $8 as in a page */
export const countAuditEvents = statement(
  `SELECT count(*)::int4 AS total FROM audit_events WHERE ${filter}`,
  total,
)

/** $1: id */
export const findAuditEvent = statement(
  `SELECT ${columns} FROM audit_events WHERE id = $1::int8`,
  event,
)
