import type { Session } from './database.ts'
import { cursorOf, type Page } from './page.ts'
import {
  countAuditEvents,
  findAuditEvent,
  insertAuditEvents,
  pageOfAuditEvents,
  type AuditRow,
} from './sql/audit.ts'

/** Who makes a change. */
export type Actor = {
  /** A principal's id, or the name of what acts in the operator's place. */
  readonly id: string
  /** The request that asked for the change. */
  readonly requestId?: string
  /** The address that the request came from. */
  readonly address?: string
}

/** What a change is of, and where it is worth telling, what that was before and after. */
export type Subject =
  | string
  | {
      readonly id: string
      readonly before?: object | undefined
      readonly after?: object | undefined
    }

/** Everything that is written down, as `subject.what-happened-to-it`. */
export type AuditAction =
  | 'directory.imported'
  | `organization.${'created' | 'updated'}`
  | `${'user' | 'service-account' | 'environment'}.${'created' | 'updated' | 'deleted'}`
  | `api-key.${'created' | 'updated' | 'deleted' | 'revoked' | 'expiry-set' | Rotated}`
  | `${'identity-provider' | 'identity-pool' | 'partner'}.${Managed}`
  | `partner-client.${Managed | Rotated}`
  | `access-grant.${'created' | 'deleted'}`
  | `resource.${'created' | 'updated' | 'deleted'}`
  | `role-binding.${'created' | 'deleted'}`
  | `signing-key.${'created' | 'became-current' | 'retired' | 'deleted'}`
  | 'token.revoked'
  | `limit-override.${'created' | 'updated' | 'deleted'}`

type Rotated = 'secret-added' | 'secret-retired'

type Managed = 'created' | 'updated' | 'enabled' | 'disabled' | 'deleted'

export type AuditEvent = {
  /** Ascending in the order of the changes, as decimal digits. */
  readonly id: string
  /** Milliseconds since the epoch, on the database's clock. */
  readonly occurredAtMs: number
  readonly actorId: string
  readonly requestId: string | undefined
  readonly address: string | undefined
  readonly organizationId: string | undefined
  readonly action: string
  readonly subject: { readonly kind: string; readonly id: string }
  /** What the subject was; undefined where it was made, or where that is not told. */
  readonly before: Readonly<Record<string, unknown>> | undefined
  /** What the subject became; undefined where it was deleted, or where that is not told. */
  readonly after: Readonly<Record<string, unknown>> | undefined
}

/** Which events are listed; what is absent does not matter. */
export type AuditFilter = {
  readonly actorId?: string | undefined
  readonly action?: string | undefined
  readonly subjectKind?: string | undefined
  readonly subjectId?: string | undefined
  readonly requestId?: string | undefined
  /** From this moment on, in milliseconds since the epoch. */
  readonly fromMs?: number | undefined
  /** Up to but without this moment. */
  readonly untilMs?: number | undefined
}

/** The record of every change, newest first. */
export type AuditEvents = {
  /** @param organizationId undefined: the changes of what belongs to none, as partners */
  readonly list: (
    organizationId: string | undefined,
    page: Page,
    filter?: AuditFilter,
  ) => Promise<readonly AuditEvent[]>
  readonly count: (organizationId: string | undefined, filter?: AuditFilter) => Promise<number>
  readonly find: (id: string) => Promise<AuditEvent | undefined>
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
  subjects: readonly Subject[],
): Promise<string> {
  const subjectKind = action.slice(0, action.indexOf('.'))
  const told = subjects.map((subject) => (typeof subject === 'string' ? { id: subject } : subject))
  await session.query(
    insertAuditEvents,
    actor.id,
    actor.requestId,
    actor.address,
    action,
    organizationId,
    subjectKind,
    told.map(({ id }) => id),
    told.map(({ before }) => jsonOf(before)),
    told.map(({ after }) => jsonOf(after)),
  )
  return subjectKind
}

/** Read the record of every change. */
export function readAuditEvents(session: Session): AuditEvents {
  return {
    list: async (organizationId, page, filter = {}) => {
      const by = [organizationId, ...columnsOf(filter)]
      const rows = await session.query(pageOfAuditEvents, ...by, ...cursorOf(page))
      return rows.map(shown)
    },
    count: async (organizationId, filter = {}) => {
      const [row] = await session.query(countAuditEvents, organizationId, ...columnsOf(filter))
      return row?.total ?? 0
    },
    find: async (id) => {
      const [row] = await session.query(findAuditEvent, id)
      return row && shown(row)
    },
  }
}

/** In the order in which both statements take them. */
function columnsOf(filter: AuditFilter): readonly (string | number | undefined)[] {
  const { actorId, action, subjectKind, subjectId, requestId, fromMs, untilMs } = filter
  return [actorId, action, subjectKind, subjectId, requestId, fromMs, untilMs]
}

function shown(row: AuditRow): AuditEvent {
  return {
    id: row.id,
    occurredAtMs: row.occurred_at_ms,
    actorId: row.actor_id,
    requestId: row.request_id,
    address: row.address,
    organizationId: row.organization_id,
    action: row.action,
    subject: { kind: row.subject_kind, id: row.subject_id },
    before: row.before ?? undefined,
    after: row.after ?? undefined,
  }
}

/** Empty where nothing is told: a list of texts has no place for NULL. */
function jsonOf(state: object | undefined): string {
  return state === undefined ? '' : JSON.stringify(inSnakeCase(state))
}

/** Names as the API has them. What stands within a member is the member's own, as a key set is. */
function inSnakeCase(state: object): object {
  return Object.fromEntries(
    Object.entries(state).map(([name, value]: [string, unknown]) => [
      name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      value,
    ]),
  )
}
