import { GatewayError } from '../errors/gateway-error.ts'
import type { Actor } from './audit.ts'
import type { Change, MakeChange } from './change.ts'
import type { Session } from './database.ts'
import type { Page } from './page.ts'
import { generateId } from './random-id.ts'
import { deleteRoleBindingsOf } from './role-bindings.ts'
import { deleteKeysOfOwner } from './sql/api-keys.ts'
import {
  deletePrincipalById,
  insertServiceAccount,
  insertUser,
  lockPrincipal,
  pageOfPrincipals,
} from './sql/principals.ts'

export type NewUser = {
  readonly organizationId: string
  /** One user of an organization per address, whatever its case. */
  readonly email: string
  readonly displayName?: string
}

export type NewServiceAccount = {
  readonly organizationId: string
  /** One service account of an organization per name. */
  readonly displayName: string
  readonly description?: string
}

export type ListedPrincipal = {
  readonly kind: 'user' | 'service-account'
  readonly id: string
  readonly displayName: string
  readonly description: string
  /** Users have one, service accounts have none. */
  readonly email: string | undefined
}

/** Users and service accounts: who owns API keys. */
export type Principals = {
  readonly createUser: (user: NewUser, actor: Actor) => Promise<{ id: string }>
  readonly createServiceAccount: (
    account: NewServiceAccount,
    actor: Actor,
  ) => Promise<{ id: string }>
  /** Delete a user or a service account and all its keys and role bindings. */
  readonly delete: (principalId: string, actor: Actor) => Promise<void>
  /** The users and service accounts of an organization, in the order of their ids. */
  readonly list: (organizationId: string, page: Page) => Promise<readonly ListedPrincipal[]>
}

/** Manage users and service accounts. */
export function managePrincipals(session: Session, make: MakeChange): Principals {
  return {
    createUser: (user, actor) => make(actor, (change) => createUser(change, user)),
    createServiceAccount: (account, actor) =>
      make(actor, (change) => createServiceAccount(change, account)),
    delete: (principalId, actor) => make(actor, (change) => remove(change, principalId)),
    list: (organizationId, page) => list(session, organizationId, page),
  }
}

/**
 * Make a user, within a change.
 *
 * @throws {GatewayError} CONFLICT, RESOURCE_NOT_FOUND, VALIDATION_FAILED, DIRECTORY_UNAVAILABLE
 */
export async function createUser(
  change: Change,
  { organizationId, email, displayName = '' }: NewUser,
): Promise<{ id: string }> {
  const id = generateId('u')
  await change.query(insertUser, id, organizationId, email, displayName)
  await change.record('user.created', organizationId, id)
  return { id }
}

async function createServiceAccount(
  change: Change,
  { organizationId, displayName, description = '' }: NewServiceAccount,
): Promise<{ id: string }> {
  const id = generateId('sa')
  await change.query(insertServiceAccount, id, organizationId, displayName, description)
  await change.record('service-account.created', organizationId, id)
  return { id }
}

async function remove(change: Change, principalId: string): Promise<void> {
  const [principal] = await change.query(lockPrincipal, principalId)
  if (principal === undefined) throw new GatewayError('RESOURCE_NOT_FOUND')
  const { kind, organization_id: organizationId } = principal
  // The foreign key would delete the keys as well, but would not say which.
  const keyIds = (await change.query(deleteKeysOfOwner, principalId)).map(({ id }) => id)
  await deleteRoleBindingsOf(change, organizationId, [principalId])
  await change.query(deletePrincipalById, principalId)
  await change.record('api-key.deleted', organizationId, ...keyIds)
  await change.record(`${kind}.deleted`, organizationId, principalId)
}

async function list(
  session: Session,
  organizationId: string,
  { after, limit }: Page,
): Promise<readonly ListedPrincipal[]> {
  const rows = await session.query(pageOfPrincipals, organizationId, after, limit)
  return rows.map(({ display_name: displayName, ...rest }) => ({ ...rest, displayName }))
}
