import { GatewayError } from '../errors/gateway-error.ts'
import type { Actor } from './audit.ts'
import type { Change, MakeChange } from './change.ts'
import type { Session } from './database.ts'
import { decided, type Check, type Edit } from './edit.ts'
import { oneRow } from './one-row.ts'
import { cursorOf, type Page } from './page.ts'
import { generateId } from './random-id.ts'
import { deleteRoleBindingsOf } from './role-bindings.ts'
import { deleteKeysOfOwner } from './sql/api-keys.ts'
import {
  countPrincipals,
  deletePrincipalById,
  findPrincipal,
  insertServiceAccount,
  insertUser,
  lockPrincipal,
  pageOfPrincipals,
  updatePrincipal,
  type PrincipalRow,
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

/** What is absent stays as it is. */
export type PrincipalChanges = { readonly displayName?: string; readonly description?: string }

/** A principal as lists show it. Instants are milliseconds since the epoch. */
export type ListedPrincipal = {
  readonly kind: 'user' | 'service-account'
  readonly id: string
  readonly organizationId: string
  readonly displayName: string
  readonly description: string
  /** Users have one, service accounts have none. */
  readonly email: string | undefined
  readonly createdAtMs: number
  readonly updatedAtMs: number
  /** Grows with every change. */
  readonly version: number
}

/** Which principals are listed; what is absent does not matter. */
export type PrincipalFilter = {
  readonly kind?: 'user' | 'service-account'
  readonly email?: string | undefined
  readonly displayName?: string | undefined
}

/** Users and service accounts: who owns API keys. */
export type Principals = {
  readonly createUser: (user: NewUser, actor: Actor) => Promise<ListedPrincipal>
  readonly createServiceAccount: (
    account: NewServiceAccount,
    actor: Actor,
  ) => Promise<ListedPrincipal>
  readonly update: (
    id: string,
    edit: Edit<ListedPrincipal, PrincipalChanges>,
    actor: Actor,
  ) => Promise<ListedPrincipal>
  /** Delete a user or a service account and all its keys and role bindings. */
  readonly delete: (
    principalId: string,
    actor: Actor,
    check?: Check<ListedPrincipal>,
  ) => Promise<void>
  readonly find: (id: string) => Promise<ListedPrincipal | undefined>
  /** The users and service accounts of an organization, in the order of their ids. */
  readonly list: (
    organizationId: string,
    page: Page,
    filter?: PrincipalFilter,
  ) => Promise<readonly ListedPrincipal[]>
  readonly count: (organizationId: string, filter?: PrincipalFilter) => Promise<number>
}

/** Manage users and service accounts. */
export function managePrincipals(session: Session, make: MakeChange): Principals {
  return {
    createUser: (user, actor) => make(actor, (change) => createUser(change, user)),
    createServiceAccount: (account, actor) =>
      make(actor, (change) => createServiceAccount(change, account)),
    update: (id, edit, actor) => make(actor, (change) => update(change, id, edit)),
    delete: (id, actor, check) => make(actor, (change) => remove(change, id, check)),
    find: async (id) => {
      const [row] = await session.query(findPrincipal, id)
      return row && shown(row)
    },
    list: async (organizationId, page, filter = {}) => {
      const by = columnsOf(filter)
      const rows = await session.query(pageOfPrincipals, organizationId, ...by, ...cursorOf(page))
      return rows.map(shown)
    },
    count: async (organizationId, filter = {}) =>
      oneRow(await session.query(countPrincipals, organizationId, ...columnsOf(filter))).total,
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
): Promise<ListedPrincipal> {
  const id = generateId('u')
  const rows = await change.query(insertUser, id, organizationId, email, displayName)
  return recorded(change, rows)
}

async function createServiceAccount(
  change: Change,
  { organizationId, displayName, description = '' }: NewServiceAccount,
): Promise<ListedPrincipal> {
  const id = generateId('sa')
  const values = [id, organizationId, displayName, description]
  return recorded(change, await change.query(insertServiceAccount, ...values))
}

async function recorded(change: Change, rows: readonly PrincipalRow[]): Promise<ListedPrincipal> {
  const after = shown(oneRow(rows))
  const { kind, id, organizationId } = after
  await change.record(`${kind}.created`, organizationId, { id, after })
  return after
}

async function update(
  change: Change,
  id: string,
  edit: Edit<ListedPrincipal, PrincipalChanges>,
): Promise<ListedPrincipal> {
  const before = await locked(change, id)
  const { displayName, description } = { ...before, ...decided(edit, before) }
  const after = shown(oneRow(await change.query(updatePrincipal, id, displayName, description)))
  await change.record(`${after.kind}.updated`, after.organizationId, { id, before, after })
  return after
}

async function remove(change: Change, id: string, check?: Check<ListedPrincipal>): Promise<void> {
  const before = await locked(change, id)
  check?.(before)
  const { kind, organizationId } = before
  // The foreign key would delete the keys as well, but would not say which.
  const keyIds = (await change.query(deleteKeysOfOwner, id)).map((key) => key.id)
  await deleteRoleBindingsOf(change, organizationId, [id])
  await change.query(deletePrincipalById, id)
  await change.record('api-key.deleted', organizationId, ...keyIds)
  await change.record(`${kind}.deleted`, organizationId, { id, before })
}

async function locked(change: Change, id: string): Promise<ListedPrincipal> {
  const [row] = await change.query(lockPrincipal, id)
  if (row === undefined) throw new GatewayError('RESOURCE_NOT_FOUND')
  return shown(row)
}

/** In the order in which both statements take them. */
function columnsOf({ kind, email, displayName }: PrincipalFilter): readonly (string | undefined)[] {
  return [kind, email, displayName]
}

function shown(row: PrincipalRow): ListedPrincipal {
  return {
    kind: row.kind,
    id: row.id,
    organizationId: row.organization_id,
    displayName: row.display_name,
    description: row.description,
    email: row.email,
    createdAtMs: row.created_at_ms,
    updatedAtMs: row.updated_at_ms,
    version: row.version,
  }
}
