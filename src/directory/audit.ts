import type { Session } from './database.ts'
import type { Page } from './page.ts'
import {
  insertAuditEvent,
  pageOfAuditEvents,
  pageOfEventsOutsideOrganizations,
} from './sql/audit.ts'

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
  | 'directory.imported'
  | `${'user' | 'service-account'}.${'created' | 'deleted'}`
  | `api-key.${'created' | 'deleted' | 'revoked' | 'expiry-set' | 'secret-added'}`
  | `${'identity-provider' | 'identity-pool' | 'partner'}.${Managed}`
  | `partner-client.${Managed | 'secret-added'}`
  | `access-grant.${'created' | 'deleted'}`
  | `resource.${'created' | 'updated' | 'deleted'}`
  | `role-binding.${'created' | 'deleted'}`
  | `signing-key.${'created' | 'became-current' | 'retired' | 'deleted'}`
  | 'token.revoked'

type Managed = 'created' | 'updated' | 'enabled' | 'disabled' | 'deleted'

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

/**
 * Write down a change of each subject, in the transaction that makes it.
 *
 * @returns the kind of the subjects
 */
export async function writeAudit(
  session: Session,
  actor: Actor,
  action: AuditAction,
  organizationId: string | undefined,
  subjectIds: readonly string[],
): Promise<string> {
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
  return subjectKind
}

/**
 * The changes in an organization, newest first.
 *
 * @param organizationId undefined: the changes of what belongs to no organization
 */
export async function listAuditEvents(
  session: Session,
  organizationId: string | undefined,
  { after, limit }: Page,
): Promise<readonly AuditEvent[]> {
  const rows =
    organizationId === undefined
      ? await session.query(pageOfEventsOutsideOrganizations, after, limit)
      : await session.query(pageOfAuditEvents, organizationId, after, limit)
  return rows.map((row) => ({
    id: row.id,
    occurredAtMs: row.occurred_at_ms,
    actorId: row.actor_id,
    requestId: row.request_id,
    action: row.action,
    subject: { kind: row.subject_kind, id: row.subject_id },
  }))
}
