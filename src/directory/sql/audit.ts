import { z } from 'zod'
import { statement } from '../database.ts'
import { ignored, optionalText } from './columns.ts'

const event = z.object({
  id: z.string(),
  occurred_at_ms: z.number(),
  actor_id: z.string(),
  request_id: optionalText,
  action: z.string(),
  subject_kind: z.string(),
  subject_id: z.string(),
})

/** $1: actor id, $2: request id, $3: action, $4: organization id, $5: subject kind, $6: subject ids */
export const insertAuditEvent = statement(
  `INSERT INTO audit_events
     (actor_id, request_id, action, organization_id, subject_kind, subject_id)
   SELECT $1, $2, $3, $4::uuid, $5, subject_id FROM unnest($6::text[]) AS subject_id`,
  ignored,
)

/** Newest first. $1: organization id, $2: id to begin before, $3: how many */
export const pageOfAuditEvents = statement(
  `SELECT id::text AS id, (extract(epoch FROM occurred_at) * 1000)::float8 AS occurred_at_ms,
     actor_id, request_id, action, subject_kind, subject_id
   FROM audit_events
   WHERE organization_id = $1::uuid AND ($2::int8 IS NULL OR id < $2::int8)
   ORDER BY audit_events.id DESC LIMIT $3::int4`,
  event,
)

/** Newest first. $1: id to begin before, $2: how many */
export const pageOfEventsOutsideOrganizations = statement(
  `SELECT id::text AS id, (extract(epoch FROM occurred_at) * 1000)::float8 AS occurred_at_ms,
     actor_id, request_id, action, subject_kind, subject_id
   FROM audit_events
   WHERE organization_id IS NULL AND ($1::int8 IS NULL OR id < $1::int8)
   ORDER BY audit_events.id DESC LIMIT $2::int4`,
  event,
)
