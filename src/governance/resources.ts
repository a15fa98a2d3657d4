import { z } from 'zod'
import { within } from '../crn/crn.ts'
import { organizationCrn } from '../crn/organization.ts'
import type { ListedResource } from '../directory/resources.ts'
import type { Collection } from '../resource-api/collection.ts'
import { anyId, displayName as nameForPeople } from '../resource-api/fields.ts'
import { validated } from '../resource-api/json-body.ts'
import type { GovernanceParts } from './parts.ts'

const Described = z.object({ display_name: nameForPeople.or(z.literal('')).default('') })
const NewResource = Described.extend({
  resource: z.object({
    kind: anyId,
    id: anyId,
    environment: z.object({ id: anyId }).nullish(),
  }),
})

type ResourceFilter = {
  readonly 'resource.kind'?: string | undefined
  readonly 'resource.id'?: string | undefined
}

/** Resources of other services that the gateway was told of: keys for them go with them. */
export function resources({
  directory,
  crnAuthority,
}: GovernanceParts): Collection<ListedResource, ResourceFilter> {
  const { resources: all } = directory
  return {
    apiVersion: 'gatehouse/v1',
    kind: 'Resource',
    path: '/gatehouse/v1/resources',
    crn: ({ id, organizationId }) =>
      within(organizationCrn(crnAuthority, organizationId), 'resource', id),
    members: membersOf,
    isOf: ({ organizationId }, resource) => resource.organizationId === organizationId,
    filter: z.object({ 'resource.kind': anyId.optional(), 'resource.id': anyId.optional() }),
    list: ({ organizationId }, part, filter) => all.list(organizationId, part, columnsOf(filter)),
    count: ({ organizationId }, filter) => all.count(organizationId, columnsOf(filter)),
    find: all.find,
    create: {
      status: 201,
      make: async (body, { organizationId, actor }) => {
        const { display_name: name, resource } = validated(NewResource, body)
        const { kind, id, environment } = resource
        const named = { resourceKind: kind, resourceId: id, environment: environment?.id }
        const wanted = { organizationId, ...named, displayName: name }
        return { record: await all.create(wanted, actor) }
      },
      // Only one of the caller's own is named: what others have is not theirs to learn.
      twin: async (body, { organizationId }) => {
        const { kind, id, environment } = NewResource.parse(body).resource
        const filter = { resourceKind: kind, resourceId: id }
        const same = await all.list(organizationId, { limit: 1_000 }, filter)
        return same.find((other) => other.environment === environment?.id)?.id
      },
    },
    // Keys name what they open by it, so that it stays what it is called.
    update: {
      immutable: ['/resource'],
      make: (id, patched, { actor }) => {
        const edit = (before: ListedResource) => {
          const { display_name: displayName } = validated(Described, patched(before))
          return { displayName }
        }
        return all.update(id, edit, actor)
      },
    },
    remove: (id, { actor }, check) => all.delete(id, actor, check),
  }
}

function columnsOf(filter: ResourceFilter) {
  return { resourceKind: filter['resource.kind'], resourceId: filter['resource.id'] }
}

function membersOf({ displayName, resourceKind, resourceId, environment }: ListedResource): object {
  return {
    display_name: displayName,
    resource: {
      kind: resourceKind,
      id: resourceId,
      ...(environment === undefined ? {} : { environment: { id: environment } }),
    },
  }
}
