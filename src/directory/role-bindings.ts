import { GatewayError } from '../errors/gateway-error.ts'
import type { Actor } from './audit.ts'
import type { Change, MakeChange } from './change.ts'
import { isPoolId } from './credential-format.ts'
import type { Session } from './database.ts'
import type { Check } from './edit.ts'
import { oneRow } from './one-row.ts'
import { cursorOf, type Page } from './page.ts'
import { generateId } from './random-id.ts'
import { holdPrincipal } from './sql/principals.ts'
import {
  bindingsOfPrincipal,
  countBindings,
  deleteBinding,
  deleteBindingsOfPrincipals,
  findBinding,
  holdPool,
  insertBinding,
  pageOfBindings,
  type BindingRow,
} from './sql/role-bindings.ts'

/** What a principal may do, as requests ask for it. */
export type RoleBindingRecord = {
  readonly organizationId: string
  readonly role: string
  readonly crnPattern: string
}

export type NewRoleBinding = RoleBindingRecord & {
  /** A user, a service account or an identity pool of the organization. */
  readonly principalId: string
}

export type ListedRoleBinding = NewRoleBinding & {
  /** `rb-…` */
  readonly id: string
  /** Milliseconds since the epoch. */
  readonly createdAtMs: number
  /** A binding never changes: it has one version, or is another binding. */
  readonly version: 1
}

/** Which bindings are listed; what is absent keeps none out. */
export type RoleBindingFilter = {
  readonly principalId?: string | undefined
  readonly role?: string | undefined
  readonly crnPatternPrefix?: string | undefined
}

/** Who has which role, and on what. A binding does not change: it is deleted, and another made. */
export type RoleBindings = {
  /**
   * RESOURCE_NOT_FOUND where the organization has no such principal, CONFLICT where the principal
   * has the role there, VALIDATION_FAILED where the pattern is not within the organization. That
   * there is such a role, and that the pattern can be read, is for the caller to see to.
   */
  readonly create: (binding: NewRoleBinding, actor: Actor) => Promise<ListedRoleBinding>
  readonly find: (id: string) => Promise<ListedRoleBinding | undefined>
  /** Those of an organization, in the order of their ids. */
  readonly list: (
    organizationId: string,
    page: Page,
    filter?: RoleBindingFilter,
  ) => Promise<readonly ListedRoleBinding[]>
  readonly count: (organizationId: string, filter?: RoleBindingFilter) => Promise<number>
  readonly delete: (id: string, actor: Actor, check?: Check<ListedRoleBinding>) => Promise<void>
}

/** Manage role bindings. */
export function manageRoleBindings(session: Session, make: MakeChange): RoleBindings {
  return {
    create: (binding, actor) => make(actor, (change) => createRoleBinding(change, binding)),
    find: async (id) => {
      const [row] = await session.query(findBinding, id)
      return row && shown(row)
    },
    list: async (organizationId, page, filter = {}) => {
      const by = [organizationId, ...columnsOf(filter)]
      const rows = await session.query(pageOfBindings, ...by, ...cursorOf(page))
      return rows.map(shown)
    },
    count: async (organizationId, filter = {}) => {
      const [row] = await session.query(countBindings, organizationId, ...columnsOf(filter))
      return row?.total ?? 0
    },
    delete: (id, actor, check) => make(actor, (change) => remove(change, id, check)),
  }
}

/** Everything that a principal is bound to; one that does not exist is bound to nothing. */
export async function readRoleBindings(
  session: Session,
  principalId: string,
): Promise<readonly RoleBindingRecord[]> {
  const rows = await session.query(bindingsOfPrincipal, principalId)
  return rows.map((row) => ({
    organizationId: row.organization_id,
    role: row.role,
    crnPattern: row.crn_pattern,
  }))
}

/**
 * Make a binding, within a change.
 *
 * @throws {GatewayError} RESOURCE_NOT_FOUND, CONFLICT, VALIDATION_FAILED, DIRECTORY_UNAVAILABLE
 */
export async function createRoleBinding(
  change: Change,
  { organizationId, principalId, role, crnPattern }: NewRoleBinding,
): Promise<ListedRoleBinding> {
  const isPool = isPoolId(principalId)
  const [principal] = await change.query(isPool ? holdPool : holdPrincipal, principalId)
  if (principal?.organization_id !== organizationId) throw new GatewayError('RESOURCE_NOT_FOUND')
  const id = generateId('rb')
  const [member, pool] = isPool ? [undefined, principalId] : [principalId, undefined]
  const values = [id, organizationId, member, pool, role, crnPattern]
  const after = shown(oneRow(await change.query(insertBinding, ...values)))
  await change.record('role-binding.created', organizationId, { id, after })
  change.affects('role-bindings', principalId)
  return after
}

/**
 * Take all bindings from principals that are being deleted. The foreign keys would do it as well,
 * but would not say which.
 */
export async function deleteRoleBindingsOf(
  change: Change,
  organizationId: string,
  principalIds: readonly string[],
): Promise<void> {
  const deleted = await change.query(deleteBindingsOfPrincipals, principalIds)
  await change.record('role-binding.deleted', organizationId, ...deleted.map(({ id }) => id))
  change.affects('role-bindings', ...principalIds)
}

async function remove(change: Change, id: string, check?: Check<ListedRoleBinding>): Promise<void> {
  const [deleted] = await change.query(deleteBinding, id)
  if (deleted === undefined) throw new GatewayError('RESOURCE_NOT_FOUND')
  const before = shown(deleted)
  // What throws here takes the deletion back with the transaction.
  check?.(before)
  await change.record('role-binding.deleted', before.organizationId, { id, before })
  change.affects('role-bindings', before.principalId)
}

/** In the order in which both statements take them. */
function columnsOf(filter: RoleBindingFilter): readonly (string | undefined)[] {
  return [filter.principalId, filter.role, filter.crnPatternPrefix]
}

function shown(row: BindingRow): ListedRoleBinding {
  return {
    id: row.id,
    organizationId: row.organization_id,
    principalId: row.principal_id,
    role: row.role,
    crnPattern: row.crn_pattern,
    createdAtMs: row.created_at_ms,
    version: 1,
  }
}
