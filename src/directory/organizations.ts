import type { Actor } from './audit.ts'
import type { Change, MakeChange } from './change.ts'
import type { Session } from './database.ts'
import type { Page } from './page.ts'
import { anyOrganization, insertOrganization, pageOfOrganizations } from './sql/organizations.ts'

export type NewOrganization = { readonly displayName: string }

export type Organization = { readonly id: string; readonly displayName: string }

/** The tenants. */
export type Organizations = {
  readonly create: (organization: NewOrganization, actor: Actor) => Promise<{ id: string }>
  /** All of them, in the order of their ids. */
  readonly list: (page: Page) => Promise<readonly Organization[]>
}

/** Manage organizations. */
export function manageOrganizations(session: Session, make: MakeChange): Organizations {
  return {
    create: (organization, actor) =>
      make(actor, (change) => createOrganization(change, organization)),
    list: (page) => list(session, page),
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
): Promise<{ id: string }> {
  const [organization] = await change.query(insertOrganization, displayName)
  if (organization === undefined) throw new Error('INSERT … RETURNING answered no row')
  await change.record('organization.created', organization.id, organization.id)
  return { id: organization.id }
}

async function list(session: Session, { after, limit }: Page): Promise<readonly Organization[]> {
  const rows = await session.query(pageOfOrganizations, after, limit)
  return rows.map((row) => ({ id: row.id, displayName: row.display_name }))
}
