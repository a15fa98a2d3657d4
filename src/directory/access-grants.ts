import { GatewayError } from '../errors/gateway-error.ts'
import type { Actor } from './audit.ts'
import type { Change, MakeChange } from './change.ts'
import type { Session } from './database.ts'
import type { Page } from './page.ts'
import {
  deleteGrant,
  grantsOfOrganization,
  insertGrant,
  pageOfGrants,
} from './sql/access-grants.ts'

export type AccessGrant = {
  readonly organizationId: string
  /** What is granted: for example an `x-request-access-name`, or the name of a group. */
  readonly name: string
}

/** A grant as lists show it. */
export type ListedAccessGrant = {
  readonly name: string
  /** Milliseconds since the epoch. */
  readonly createdAtMs: number
}

/** What organizations may use that not everybody may. */
export type AccessGrants = {
  readonly create: (grant: AccessGrant, actor: Actor) => Promise<void>
  readonly delete: (grant: AccessGrant, actor: Actor) => Promise<void>
  /** Those of an organization, in the order of their names; a page begins after a name. */
  readonly list: (organizationId: string, page: Page) => Promise<readonly ListedAccessGrant[]>
}

/** Manage access grants. */
export function manageAccessGrants(session: Session, make: MakeChange): AccessGrants {
  return {
    create: (grant, actor) => make(actor, (change) => create(change, grant)),
    delete: (grant, actor) => make(actor, (change) => remove(change, grant)),
    list: (organizationId, page) => list(session, organizationId, page),
  }
}

/** The names of all that an organization is granted; one that does not exist is granted nothing. */
export async function readGrants(
  session: Session,
  organizationId: string,
): Promise<ReadonlySet<string>> {
  const rows = await session.query(grantsOfOrganization, organizationId)
  return new Set(rows.map(({ name }) => name))
}

async function create(change: Change, { organizationId, name }: AccessGrant): Promise<void> {
  await change.query(insertGrant, organizationId, name)
  await change.record('access-grant.created', organizationId, name)
  change.affects('access-grants', organizationId)
}

async function remove(change: Change, { organizationId, name }: AccessGrant): Promise<void> {
  const [deleted] = await change.query(deleteGrant, organizationId, name)
  if (deleted === undefined) throw new GatewayError('RESOURCE_NOT_FOUND')
  await change.record('access-grant.deleted', organizationId, name)
  change.affects('access-grants', organizationId)
}

async function list(
  session: Session,
  organizationId: string,
  { after, limit }: Page,
): Promise<readonly ListedAccessGrant[]> {
  const rows = await session.query(pageOfGrants, organizationId, after, limit)
  return rows.map((row) => ({ name: row.name, createdAtMs: row.created_at_ms }))
}
