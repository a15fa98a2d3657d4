import { z } from 'zod'
import { within } from '../crn/crn.ts'
import { organizationCrn } from '../crn/organization.ts'
import type { AuditEvent, AuditFilter } from '../directory/audit.ts'
import type { Collection } from '../resource-api/collection.ts'
import { anyId, moment } from '../resource-api/fields.ts'
import type { Scope } from '../resource-api/scope.ts'
import { notOperator } from './operators-only.ts'
import type { GovernanceParts } from './parts.ts'

const Filter = z.object({
  action: anyId.optional(),
  actor: anyId.optional(),
  subject: anyId.optional(),
  subject_kind: anyId.optional(),
  request_id: anyId.optional(),
  from: moment.optional(),
  until: moment.optional(),
  organization: z.literal('none').optional(),
})

type Listed = AuditEvent & { readonly createdAtMs: number }

/**
 * What was changed, newest first: in the caller's organization, or for operators, in what belongs to
 * none.
 */
export function auditEvents(parts: GovernanceParts): Collection<Listed, z.output<typeof Filter>> {
  const { directory, crnAuthority, isOperator } = parts
  const { auditEvents: events } = directory
  const whose = (scope: Scope, organization: 'none' | undefined): string | undefined => {
    if (organization === undefined) return scope.organizationId
    if (!isOperator(scope.organizationId)) throw notOperator()
    return undefined
  }
  return {
    apiVersion: 'gatehouse/v1',
    kind: 'AuditEvent',
    path: '/gatehouse/v1/audit-events',
    crn: ({ id, organizationId }) =>
      organizationId === undefined
        ? { authority: crnAuthority, elements: [{ kind: 'audit-event', id }] }
        : within(organizationCrn(crnAuthority, organizationId), 'audit-event', id),
    members: membersOf,
    isOf: (scope, { organizationId }) =>
      organizationId === undefined
        ? isOperator(scope.organizationId)
        : organizationId === scope.organizationId,
    filter: Filter,
    list: async (scope, part, filter) => {
      const found = await events.list(whose(scope, filter.organization), part, columnsOf(filter))
      return found.map(listed)
    },
    count: async (scope, filter) =>
      events.count(whose(scope, filter.organization), columnsOf(filter)),
    find: async (id) => {
      // Whatever is no such number is the id of nothing.
      const event = /^[1-9][0-9]{0,17}$/.test(id) ? await events.find(id) : undefined
      return event && listed(event)
    },
  }
}

function listed(event: AuditEvent): Listed {
  return { ...event, createdAtMs: event.occurredAtMs }
}

function columnsOf(filter: z.output<typeof Filter>): AuditFilter {
  return {
    action: filter.action,
    actorId: filter.actor,
    subjectId: filter.subject,
    subjectKind: filter.subject_kind,
    requestId: filter.request_id,
    fromMs: filter.from,
    untilMs: filter.until,
  }
}

function membersOf(event: AuditEvent): object {
  const { action, actorId, requestId, address, subject, before, after } = event
  return {
    action,
    actor: { id: actorId },
    subject,
    ...(requestId === undefined ? {} : { request_id: requestId }),
    ...(address === undefined ? {} : { address }),
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
  }
}
