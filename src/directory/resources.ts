import { GatewayError } from '../errors/gateway-error.ts'
import type { Actor } from './audit.ts'
import type { Change, MakeChange } from './change.ts'
import type { Session } from './database.ts'
import type { Page } from './page.ts'
import { generateId } from './random-id.ts'
import { deleteKeysOfResource } from './sql/api-keys.ts'
import {
  anyForeignKey,
  deleteResourceById,
  insertResource,
  lockResource,
  lockResourceName,
  pageOfResources,
  updateResource,
  type LockedResource,
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
}

/** Resources of other services that the gateway was told of. */
export type Resources = {
  /** CONFLICT where it is known already, or another organization has keys for it. */
  readonly create: (resource: NewResource, actor: Actor) => Promise<{ id: string }>
  readonly update: (id: string, changes: ResourceChanges, actor: Actor) => Promise<void>
  /** Delete a resource, and the API keys that open it. */
  readonly delete: (id: string, actor: Actor) => Promise<void>
  /** Those of an organization, in the order of our ids. */
  readonly list: (organizationId: string, page: Page) => Promise<readonly ListedResource[]>
}

/** Manage the resources that the gateway knows. */
export function manageResources(session: Session, make: MakeChange): Resources {
  return {
    create: (resource, actor) => make(actor, (change) => create(change, resource)),
    update: (id, changes, actor) => make(actor, (change) => update(change, id, changes)),
    delete: (id, actor) => make(actor, (change) => remove(change, id)),
    list: (organizationId, page) => list(session, organizationId, page),
  }
}

async function create(change: Change, resource: NewResource): Promise<{ id: string }> {
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
  await change.query(insertResource, id, organizationId, ...name, displayName)
  await change.record('resource.created', organizationId, id)
  return { id }
}

async function update(change: Change, id: string, changes: ResourceChanges): Promise<void> {
  const before = await locked(change, id)
  await change.query(updateResource, id, changes.displayName ?? before.display_name)
  await change.record('resource.updated', before.organization_id, id)
}

async function remove(change: Change, id: string): Promise<void> {
  const resource = await locked(change, id)
  const { organization_id: organizationId, resource_kind: kind, resource_id: name } = resource
  // The schema would delete the keys as well, but would not say which.
  const keys = await change.query(deleteKeysOfResource, kind, name, resource.resource_environment)
  await change.query(deleteResourceById, id)
  const keyIds = keys.map((key) => key.id)
  await change.record('api-key.deleted', organizationId, ...keyIds)
  await change.record('resource.deleted', organizationId, id)
}

async function locked(change: Change, id: string): Promise<LockedResource> {
  const [row] = await change.query(lockResource, id)
  if (row === undefined) throw new GatewayError('RESOURCE_NOT_FOUND')
  return row
}

async function list(
  session: Session,
  organizationId: string,
  { after, limit }: Page,
): Promise<readonly ListedResource[]> {
  const rows = await session.query(pageOfResources, organizationId, after, limit)
  return rows.map((row) => ({
    id: row.id,
    organizationId: row.organization_id,
    resourceKind: row.resource_kind,
    resourceId: row.resource_id,
    environment: row.resource_environment,
    displayName: row.display_name,
    createdAtMs: row.created_at_ms,
    updatedAtMs: row.updated_at_ms,
  }))
}
