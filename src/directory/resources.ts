import { GatewayError } from '../errors/gateway-error.ts'
import type { Actor } from './audit.ts'
import type { Change, MakeChange } from './change.ts'
import type { Session } from './database.ts'
import { decided, type Check, type Edit } from './edit.ts'
import { oneRow } from './one-row.ts'
import { cursorOf, type Page } from './page.ts'
import { generateId } from './random-id.ts'
import { deleteKeysOfResource } from './sql/api-keys.ts'
import {
  anyForeignKey,
  countResources,
  deleteResourceById,
  findResource,
  insertResource,
  lockResource,
  lockResourceName,
  pageOfResources,
  updateResource,
  type ResourceRow,
} from './sql/resources.ts'

/** What a resource is called where it is, and by API keys. */
type ResourceName = {
  /** For example `kafka-cluster`. */
  readonly resourceKind: string
  /** For example `lkc-abc123`; not ours. */
  readonly resourceId: string
  /** Set where the id alone names no single resource, as with a region. */
  readonly environment?: string | undefined
}

export type NewResource = ResourceName & {
  readonly organizationId: string
  readonly displayName?: string
}

/** What is absent stays as it is. What a resource is called does not change. */
export type ResourceChanges = { readonly displayName?: string }

/** A resource as lists show it. Instants are milliseconds since the epoch. */
export type ListedResource = Required<NewResource> & {
  /** Ours, `resource-…` */
  readonly id: string
  readonly createdAtMs: number
  readonly updatedAtMs: number
  /** Grows with every change. */
  readonly version: number
}

/** Which resources are listed; what is absent does not matter. */
export type ResourceFilter = {
  readonly resourceKind?: string | undefined
  readonly resourceId?: string | undefined
}

/** Resources of other services that the gateway was told of. */
export type Resources = {
  /** CONFLICT where it is known already, or another organization has keys for it. */
  readonly create: (resource: NewResource, actor: Actor) => Promise<ListedResource>
  readonly update: (
    id: string,
    edit: Edit<ListedResource, ResourceChanges>,
    actor: Actor,
  ) => Promise<ListedResource>
  /** Delete a resource, and the API keys that open it. */
  readonly delete: (id: string, actor: Actor, check?: Check<ListedResource>) => Promise<void>
  readonly find: (id: string) => Promise<ListedResource | undefined>
  /** Those of an organization, in the order of our ids. */
  readonly list: (
    organizationId: string,
    page: Page,
    filter?: ResourceFilter,
  ) => Promise<readonly ListedResource[]>
  readonly count: (organizationId: string, filter?: ResourceFilter) => Promise<number>
}

/** Manage the resources that the gateway knows. */
export function manageResources(session: Session, make: MakeChange): Resources {
  return {
    create: (resource, actor) => make(actor, (change) => create(change, resource)),
    update: (id, edit, actor) => make(actor, (change) => update(change, id, edit)),
    delete: (id, actor, check) => make(actor, (change) => remove(change, id, check)),
    find: async (id) => {
      const [row] = await session.query(findResource, id)
      return row && shown(row)
    },
    list: async (organizationId, page, { resourceKind, resourceId } = {}) => {
      const by = [organizationId, resourceKind, resourceId]
      return (await session.query(pageOfResources, ...by, ...cursorOf(page))).map(shown)
    },
    count: async (organizationId, { resourceKind, resourceId } = {}) =>
      oneRow(await session.query(countResources, organizationId, resourceKind, resourceId)).total,
  }
}

async function create(change: Change, resource: NewResource): Promise<ListedResource> {
  const { organizationId, resourceKind, resourceId, environment, displayName = '' } = resource
  const name = [resourceKind, resourceId, environment] as const
  await change.query(lockResourceName, resourceKind, resourceId)
  const [foreignKey] = await change.query(anyForeignKey, organizationId, ...name)
  // It would open the resource of this organization, and does not show in its lists.
  if (foreignKey !== undefined)
    throw new GatewayError('CONFLICT', {
      details: 'Another organization has API keys for this resource.',
    })
  const id = generateId('resource')
  const values = [id, organizationId, ...name, displayName]
  const after = shown(oneRow(await change.query(insertResource, ...values)))
  await change.record('resource.created', organizationId, { id, after })
  return after
}

async function update(
  change: Change,
  id: string,
  edit: Edit<ListedResource, ResourceChanges>,
): Promise<ListedResource> {
  const before = await locked(change, id)
  const { displayName, organizationId } = { ...before, ...decided(edit, before) }
  const after = shown(oneRow(await change.query(updateResource, id, displayName)))
  await change.record('resource.updated', organizationId, { id, before, after })
  return after
}

async function remove(change: Change, id: string, check?: Check<ListedResource>): Promise<void> {
  const before = await locked(change, id)
  check?.(before)
  const { organizationId, resourceKind, resourceId, environment } = before
  // The schema would delete the keys as well, but would not say which.
  const keys = await change.query(deleteKeysOfResource, resourceKind, resourceId, environment)
  await change.query(deleteResourceById, id)
  const keyIds = keys.map((key) => key.id)
  await change.record('api-key.deleted', organizationId, ...keyIds)
  await change.record('resource.deleted', organizationId, { id, before })
}

async function locked(change: Change, id: string): Promise<ListedResource> {
  const [row] = await change.query(lockResource, id)
  if (row === undefined) throw new GatewayError('RESOURCE_NOT_FOUND')
  return shown(row)
}

function shown(row: ResourceRow): ListedResource {
  return {
    id: row.id,
    organizationId: row.organization_id,
    resourceKind: row.resource_kind,
    resourceId: row.resource_id,
    environment: row.resource_environment,
    displayName: row.display_name,
    createdAtMs: row.created_at_ms,
    updatedAtMs: row.updated_at_ms,
    version: row.version,
  }
}
