import type { Session } from './database.ts'
import type { Page } from './page.ts'
import { insertAuditEvent, pageOfAuditEvents } from './sql/audit.ts'

/** Who makes a change. */
export type Actor = {
  /** A principal's id, or the name of what acts in the operator's place. */
  readonly id: string
  /** The request that asked for the change. */
  readonly requestId?: string
}

/** Everything that is written down, as `subject.what-happened-to-it`. */
export type AuditAction =
  | 'organization.created'
  | 'user.created'
  | 'user.deleted'
  | 'service-account.created'
  | 'service-account.deleted'
  | 'api-key.created'
  | 'api-key.deleted'
  | 'api-key.revoked'
  | 'api-key.expiry-set'
  | 'api-key.secret-added'

export type AuditEvent = {
  /** Ascending in the order of the changes, as decimal digits. */
  readonly id: string
  /** Milliseconds since the epoch, on the database's clock. */
  readonly occurredAtMs: number
  readonly actorId: string
  readonly requestId: string | undefined
  readonly action: string
  readonly subject: { readonly kind: string; readonly id: string }
}

/** Write down a change of each subject, in the transaction that makes it. */
export async function recordChange(
  session: Session,
  actor: Actor,
  action: AuditAction,
  organizationId: string,
  ...subjectIds: readonly string[]
): Promise<void> {
  const subjectKind = action.slice(0, action.indexOf('.'))
  await session.query(
    insertAuditEvent,
    actor.id,
    actor.requestId,
    action,
    organizationId,
    subjectKind,
    subjectIds,
  )
}

/** The changes in an organization, newest first. */
export async function listAuditEvents(
  session: Session,
  organizationId: string,
  { after, limit }: Page,
): Promise<readonly AuditEvent[]> {
  const rows = await session.query(pageOfAuditEvents, organizationId, after, limit)
  return rows.map((row) => ({
    id: row.id,
    occurredAtMs: row.occurred_at_ms,
    actorId: row.actor_id,
    requestId: row.request_id,
    action: row.action,
    subject: { kind: row.subject_kind, id: row.subject_id },
  }))
}
