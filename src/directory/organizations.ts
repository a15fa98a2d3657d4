import { GatewayError } from '../errors/gateway-error.ts'
import type { Actor } from './audit.ts'
import type { Change, MakeChange } from './change.ts'
import type { Session } from './database.ts'
import { decided, type Edit } from './edit.ts'
import { oneRow } from './one-row.ts'
import { cursorOf, type Page } from './page.ts'
import {
  anyOrganization,
  countOrganizations,
  findOrganization,
  insertOrganization,
  lockOrganization,
  pageOfOrganizations,
  updateOrganization,
  type OrganizationRow,
} from './sql/organizations.ts'

export type NewOrganization = { readonly displayName: string }

/** What is absent stays as it is. */
export type OrganizationChanges = { readonly displayName?: string }

/** An organization as lists show it. Instants are milliseconds since the epoch. */
export type Organization = {
  readonly id: string
  readonly displayName: string
  readonly createdAtMs: number
  readonly updatedAtMs: number
  /** Grows with every change. */
  readonly version: number
}

/** The tenants. */
export type Organizations = {
  readonly create: (organization: NewOrganization, actor: Actor) => Promise<Organization>
  readonly update: (
    id: string,
    edit: Edit<Organization, OrganizationChanges>,
    actor: Actor,
  ) => Promise<Organization>
  /** @param id a UUID */
  readonly find: (id: string) => Promise<Organization | undefined>
  /** All of them, in the order of their ids. */
  readonly list: (page: Page) => Promise<readonly Organization[]>
  readonly count: () => Promise<number>
}

/** Manage organizations. */
export function manageOrganizations(session: Session, make: MakeChange): Organizations {
  return {
    create: (organization, actor) =>
      make(actor, (change) => createOrganization(change, organization)),
    update: (id, edit, actor) => make(actor, (change) => update(change, id, edit)),
    find: async (id) => {
      const [row] = await session.query(findOrganization, id)
      return row && shown(row)
    },
    list: async (page) => (await session.query(pageOfOrganizations, ...cursorOf(page))).map(shown),
    count: async () => oneRow(await session.query(countOrganizations)).total,
  }
}

/** Say whether there is no organization yet. */
export async function isEmpty(session: Session): Promise<boolean> {
  return (await session.query(anyOrganization)).length === 0
}

/**
 * Make an organization, within a change.
 *
 * @throws {GatewayError} VALIDATION_FAILED, DIRECTORY_UNAVAILABLE
 */
export async function createOrganization(
  change: Change,
  { displayName }: NewOrganization,
): Promise<Organization> {
  const after = shown(oneRow(await change.query(insertOrganization, displayName)))
  await change.record('organization.created', after.id, { id: after.id, after })
  return after
}

async function update(
  change: Change,
  id: string,
  edit: Edit<Organization, OrganizationChanges>,
): Promise<Organization> {
  const [row] = await change.query(lockOrganization, id)
  if (row === undefined) throw new GatewayError('RESOURCE_NOT_FOUND')
  const before = shown(row)
  const { displayName } = { ...before, ...decided(edit, before) }
  const after = shown(oneRow(await change.query(updateOrganization, id, displayName)))
  await change.record('organization.updated', id, { id, before, after })
  return after
}

function shown(row: OrganizationRow): Organization {
  return {
    id: row.id,
    displayName: row.display_name,
    createdAtMs: row.created_at_ms,
    updatedAtMs: row.updated_at_ms,
    version: row.version,
  }
}
