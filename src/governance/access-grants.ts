import { z } from 'zod'
import { formatCrn, within } from '../crn/crn.ts'
import { organizationCrn } from '../crn/organization.ts'
import type { ListedAccessGrant } from '../directory/access-grants.ts'
import { GatewayError } from '../errors/gateway-error.ts'
import type { Collection } from '../resource-api/collection.ts'
import { anyId } from '../resource-api/fields.ts'
import { invalidFields, validated } from '../resource-api/json-body.ts'
import type { Scope } from '../resource-api/scope.ts'
import { notOperator } from './operators-only.ts'
import type { GovernanceParts } from './parts.ts'

const organizationId = z.uuid().toLowerCase()

const NewGrant = z.object({ name: anyId, organization: z.object({ id: organizationId }) })

type GrantFilter = {
  readonly name?: string | undefined
  readonly organization?: string | undefined
}

/** What organizations may use that not everybody may. Each sees its own; operators see all. */
export function accessGrants(parts: GovernanceParts): Collection<ListedAccessGrant, GrantFilter> {
  const { directory, crnAuthority, isOperator } = parts
  const { accessGrants: grants } = directory
  const canSee = (scope: Scope, organization: string): boolean =>
    organization === scope.organizationId || isOperator(scope.organizationId)
  const whose = (scope: Scope, { organization = scope.organizationId }: GrantFilter): string => {
    if (!canSee(scope, organization)) throw notOperator()
    return organization
  }
  return {
    apiVersion: 'gatehouse/v1',
    kind: 'AccessGrant',
    path: '/gatehouse/v1/access-grants',
    crn: (grant) =>
      within(organizationCrn(crnAuthority, grant.organizationId), 'access-grant', grant.id),
    members: (grant) => ({
      name: grant.name,
      organization: {
        id: grant.organizationId,
        resource_name: formatCrn(organizationCrn(crnAuthority, grant.organizationId)),
      },
    }),
    isOf: (scope, grant) => canSee(scope, grant.organizationId),
    filter: z.object({ name: anyId.optional(), organization: organizationId.optional() }),
    list: async (scope, part, filter) => grants.list(whose(scope, filter), part, filter),
    count: async (scope, filter) => grants.count(whose(scope, filter), filter),
    find: grants.find,
    create: {
      status: 201,
      make: async (body, { actor }) => {
        const { name, organization } = validated(NewGrant, body)
        const made = grants.create({ organizationId: organization.id, name }, actor)
        return { record: await made.catch(refuseUnknownOrganization) }
      },
      twin: async (body) => {
        const { name, organization } = NewGrant.parse(body)
        return (await grants.list(organization.id, { limit: 1 }, { name }))[0]?.id
      },
    },
    remove: async (id, { actor }, check) => {
      const grant = await grants.find(id)
      if (grant === undefined) throw new GatewayError('RESOURCE_NOT_FOUND')
      // A grant never changes, so it is still this one, or gone.
      check(grant)
      await grants.delete(grant, actor)
    },
  }
}

function refuseUnknownOrganization(error: unknown): never {
  if (error instanceof GatewayError && error.code === 'RESOURCE_NOT_FOUND')
    throw invalidFields([{ pointer: '/organization/id', message: 'Does not exist' }])
  throw error
}
