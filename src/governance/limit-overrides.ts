import { z } from 'zod'
import { formatCrn, within } from '../crn/crn.ts'
import { organizationCrn } from '../crn/organization.ts'
import type { ListedLimitOverride } from '../directory/limit-overrides.ts'
import { GatewayError } from '../errors/gateway-error.ts'
import type { Collection } from '../resource-api/collection.ts'
import { anyId } from '../resource-api/fields.ts'
import { invalidFields, validated } from '../resource-api/json-body.ts'
import type { Scope } from '../resource-api/scope.ts'
import type { GovernanceParts } from './parts.ts'
import { partnerCrn } from './partners.ts'

const limit = z.int().min(1)
const reference = z.object({ id: anyId })

const NewOverride = z
  .object({
    organization: z.object({ id: z.uuid().toLowerCase() }).optional(),
    partner: reference.optional(),
    principal: reference.optional(),
    limit_name: anyId,
    limit,
  })
  .refine(({ organization, partner }) => (organization === undefined) !== (partner === undefined), {
    path: ['organization'],
    message: 'Either it or a partner must be named',
  })
const Changed = z.object({ limit })

const Filter = z.object({
  organization: z.uuid().toLowerCase().optional(),
  partner: z.string().startsWith('partner-').max(255).optional(),
})

/** Limits that are not the configured ones, for an organization, a principal of it, or a partner. */
export function limitOverrides({
  directory,
  crnAuthority,
}: GovernanceParts): Collection<ListedLimitOverride, z.output<typeof Filter>> {
  const { limitOverrides: overrides } = directory
  const ownerCrn = (id: string) =>
    isPartner(id) ? partnerCrn(crnAuthority, id) : organizationCrn(crnAuthority, id)
  return {
    apiVersion: 'gatehouse/v1',
    kind: 'LimitOverride',
    path: '/gatehouse/v1/limit-overrides',
    crn: ({ id, organizationId }) => within(ownerCrn(organizationId), 'limit-override', id),
    members: ({ organizationId: owner, principalId, limitName, limit: value }) => ({
      [isPartner(owner) ? 'partner' : 'organization']: {
        id: owner,
        resource_name: formatCrn(ownerCrn(owner)),
      },
      ...(principalId === undefined ? {} : { principal: { id: principalId } }),
      limit_name: limitName,
      limit: value,
    }),
    isOf: () => true,
    filter: Filter,
    list: (scope, part, filter) => overrides.list(ownerOf(scope, filter), part),
    count: (scope, filter) => overrides.count(ownerOf(scope, filter)),
    find: overrides.find,
    create: {
      status: 201,
      make: async (body, { actor }) => {
        const wanted = overrideIn(body)
        const made = overrides.create(wanted, actor)
        return { record: await made.catch(refuseUnknown(wanted.organizationId)) }
      },
      twin: async (body) => (await overrides.findNamed(overrideIn(body)))?.id,
    },
    update: {
      immutable: ['/organization/id', '/partner/id', '/principal/id', '/limit_name'],
      make: (id, patched, { actor }) => {
        const edit = (before: ListedLimitOverride) => validated(Changed, patched(before))
        return overrides.update(id, edit, actor)
      },
    },
    remove: (id, { actor }, check) => overrides.delete(id, actor, check),
  }
}

function overrideIn(body: object) {
  const {
    organization,
    partner,
    principal,
    limit_name: limitName,
    limit: value,
  } = validated(NewOverride, body)
  const organizationId = organization?.id ?? partner?.id ?? ''
  return { organizationId, principalId: principal?.id, limitName, limit: value }
}

function ownerOf(
  { organizationId }: Scope,
  { organization, partner }: z.output<typeof Filter>,
): string {
  return partner ?? organization ?? organizationId
}

function isPartner(ownerId: string): boolean {
  return ownerId.startsWith('partner-')
}

function refuseUnknown(ownerId: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof GatewayError) || error.code !== 'RESOURCE_NOT_FOUND') throw error
    const pointer = isPartner(ownerId) ? '/partner/id' : '/organization/id'
    throw invalidFields([{ pointer, message: 'Does not exist' }])
  }
}
