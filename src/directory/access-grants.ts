import { GatewayError } from '../errors/gateway-error.ts'
import type { Actor } from './audit.ts'
import type { Change, MakeChange } from './change.ts'
import type { Session } from './database.ts'
import { oneRow } from './one-row.ts'
import { cursorOf, type Page } from './page.ts'
import {
  countGrants,
  deleteGrant,
  findGrant,
  grantsOfOrganization,
  insertGrant,
  pageOfGrants,
  type GrantRow,
} from './sql/access-grants.ts'

export type AccessGrant = {
  readonly organizationId: string
  /** What is granted: for example an `x-request-access-name`, or the name of a group. */
  readonly name: string
}

/** A grant as lists show it. */
export type ListedAccessGrant = AccessGrant & {
  readonly id: string
  /** Milliseconds since the epoch. */
  readonly createdAtMs: number
  /** A grant never changes: it has one version, or is another grant. */
  readonly version: 1
}

/** Which grants are listed; what is absent does not matter. */
export type GrantFilter = { readonly name?: string | undefined }

/** What organizations may use that not everybody may. */
export type AccessGrants = {
  readonly create: (grant: AccessGrant, actor: Actor) => Promise<ListedAccessGrant>
  readonly delete: (grant: AccessGrant, actor: Actor) => Promise<void>
  readonly find: (id: string) => Promise<ListedAccessGrant | undefined>
  /** Those of an organization, in the order of their ids. */
  readonly list: (
    organizationId: string,
    page: Page,
    filter?: GrantFilter,
  ) => Promise<readonly ListedAccessGrant[]>
  readonly count: (organizationId: string, filter?: GrantFilter) => Promise<number>
}

/** Manage access grants. */
export function manageAccessGrants(session: Session, make: MakeChange): AccessGrants {
  return {
    create: (grant, actor) => make(actor, (change) => create(change, grant)),
    delete: (grant, actor) => make(actor, (change) => remove(change, grant)),
    find: async (id) => {
      const [row] = await session.query(findGrant, id)
      return row && shown(row)
    },
    list: async (organizationId, page, { name } = {}) =>
      (await session.query(pageOfGrants, organizationId, name, ...cursorOf(page))).map(shown),
    count: async (organizationId, { name } = {}) =>
      oneRow(await session.query(countGrants, organizationId, name)).total,
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

async function create(
  change: Change,
  { organizationId, name }: AccessGrant,
): Promise<ListedAccessGrant> {
  const after = shown(oneRow(await change.query(insertGrant, organizationId, name)))
  await change.record('access-grant.created', organizationId, { id: after.id, after })
  change.affects('access-grants', organizationId)
  return after
}

async function remove(change: Change, { organizationId, name }: AccessGrant): Promise<void> {
  const [row] = await change.query(deleteGrant, organizationId, name)
  if (row === undefined) throw new GatewayError('RESOURCE_NOT_FOUND')
  const before = shown(row)
  await change.record('access-grant.deleted', organizationId, { id: before.id, before })
  change.affects('access-grants', organizationId)
}

function shown(row: GrantRow): ListedAccessGrant {
  return {
    id: row.id,
    organizationId: row.organization_id,
    name: row.name,
    createdAtMs: row.created_at_ms,
    version: 1,
  }
}
