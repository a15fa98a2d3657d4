import { isDeepStrictEqual } from 'node:util'
import { GatewayError } from '../errors/gateway-error.ts'
import type { Actor } from './audit.ts'
import type { Change, MakeChange } from './change.ts'
import type { Session } from './database.ts'
import { oneRow } from './one-row.ts'
import { cursorOf, type Page } from './page.ts'
import {
  allOverrides,
  countOverrides,
  deleteOverride,
  findNamedOverride,
  findOverride,
  pageOfOverrides,
  pageOfOverridesById,
  putOverride,
  type OverrideRow,
} from './sql/limit-overrides.ts'

/** Which limit is another one, and for whom. */
export type LimitOverrideName = {
  /** An organization's id, or a partner's, which counts as one of its own. */
  readonly organizationId: string
  /** Absent: the organization, and each of its principals without an override of its own. */
  readonly principalId?: string | undefined
  /** As the configuration makes it: `class.user.requests`, or the name of a quota. */
  readonly limitName: string
}

export type LimitOverride = LimitOverrideName & {
  /** A positive whole number. */
  readonly limit: number
  /** Milliseconds since the epoch. */
  readonly createdAtMs: number
  readonly updatedAtMs: number
}

/** An override as the API shows it. */
export type ListedLimitOverride = LimitOverride & { readonly id: string }

/** A part of a list, in the order of principals and names. */
export type OverridePage = {
  /** Absent: the beginning. */
  readonly after?: Pick<LimitOverrideName, 'principalId' | 'limitName'>
  readonly limit: number
}

/** Limits that are not the configured ones. They apply on every replica within a second. */
export type LimitOverrides = {
  readonly set: (
    override: LimitOverrideName & { readonly limit: number },
    actor: Actor,
  ) => Promise<void>
  readonly delete: (name: LimitOverrideName, actor: Actor) => Promise<void>
  readonly list: (organizationId: string, page: OverridePage) => Promise<readonly LimitOverride[]>
  /** Those of an organization or a partner, in the order of their ids. */
  readonly pageOf: (ownerId: string, page: Page) => Promise<readonly ListedLimitOverride[]>
  readonly count: (ownerId: string) => Promise<number>
  readonly find: (id: string) => Promise<ListedLimitOverride | undefined>
  readonly findNamed: (name: LimitOverrideName) => Promise<ListedLimitOverride | undefined>
}

/** The limit that is in the place of a configured one; undefined where none is. */
export type FindLimitOverride = (
  organizationId: string,
  principalId: string | undefined,
  limitName: string,
) => number | undefined

/** @param refresh has what is at hand read again, so that whoever made a change sees it */
export function manageLimitOverrides(
  session: Session,
  make: MakeChange,
  refresh: () => Promise<void>,
): LimitOverrides {
  return {
    set: async ({ limit, ...name }, actor) => {
      await make(actor, (change) => set(change, name, limit))
      await refresh()
    },
    delete: async (name, actor) => {
      await make(actor, (change) => remove(change, name))
      await refresh()
    },
    list: (organizationId, page) => list(session, organizationId, page),
    pageOf: async (ownerId, page) =>
      (await session.query(pageOfOverridesById, ownerId, ...cursorOf(page))).map(shown),
    count: async (ownerId) => oneRow(await session.query(countOverrides, ownerId)).total,
    find: async (id) => {
      const [row] = await session.query(findOverride, id)
      return row && shown(row)
    },
    findNamed: async ({ organizationId, principalId = '', limitName }) => {
      const name = [organizationId, principalId, limitName]
      const [row] = await session.query(findNamedOverride, ...name)
      return row && shown(row)
    },
  }
}

async function set(change: Change, name: LimitOverrideName, limit: number): Promise<void> {
  if (!Number.isSafeInteger(limit) || limit < 1) {
    const details = 'The limit must be a positive whole number.'
    throw new GatewayError('VALIDATION_FAILED', { details })
  }
  const { organizationId, principalId = '', limitName } = name
  const { organization, partner } = ownerOf(organizationId)
  await change.query(putOverride, organization, partner, principalId, limitName, limit)
  await change.record('limit-override.set', organization, subjectOf(name))
}

async function remove(change: Change, name: LimitOverrideName): Promise<void> {
  const { organizationId, principalId = '', limitName } = name
  const [deleted] = await change.query(deleteOverride, organizationId, principalId, limitName)
  if (deleted === undefined) throw new GatewayError('RESOURCE_NOT_FOUND')
  const { organization } = ownerOf(organizationId)
  await change.record('limit-override.deleted', organization, subjectOf(name))
}

function ownerOf(id: string): { readonly organization?: string; readonly partner?: string } {
  return id.startsWith('partner-') ? { partner: id } : { organization: id }
}

/** As audit events name it. */
function subjectOf({ principalId, limitName }: LimitOverrideName): string {
  return principalId === undefined ? limitName : `${principalId}/${limitName}`
}

async function list(
  session: Session,
  organizationId: string,
  { after, limit }: OverridePage,
): Promise<readonly LimitOverride[]> {
  const begin = after && (after.principalId ?? '')
  const rows = await session.query(pageOfOverrides, organizationId, begin, after?.limitName, limit)
  return rows.map(shown)
}

function shown(row: OverrideRow): ListedLimitOverride {
  return {
    id: row.id,
    organizationId: row.owner_id,
    principalId: row.principal_id === '' ? undefined : row.principal_id,
    limitName: row.limit_name,
    limit: row.value,
    createdAtMs: row.created_at_ms,
    updatedAtMs: row.updated_at_ms,
  }
}

/** Nothing is overridden. */
export const noOverrides: FindLimitOverride = () => undefined

/** Read all overrides. What is read is the same function as before where nothing has changed. */
export function createOverrideReader(session: Session): () => Promise<FindLimitOverride> {
  let lastRows: unknown
  let last = noOverrides
  return async () => {
    const rows = await session.query(allOverrides)
    if (isDeepStrictEqual(rows, lastRows)) return last
    const limits = new Map(
      rows.map((row) => [placeOf(row.owner_id, row.principal_id, row.limit_name), row.value]),
    )
    lastRows = rows
    last = limits.size === 0 ? noOverrides : findAmong(limits)
    return last
  }
}

function findAmong(limits: ReadonlyMap<string, number>): FindLimitOverride {
  return (organizationId, principalId, limitName) =>
    (principalId === undefined
      ? undefined
      : limits.get(placeOf(organizationId, principalId, limitName))) ??
    limits.get(placeOf(organizationId, '', limitName))
}

/** Ids hold no line breaks. */
function placeOf(ownerId: string, principalId: string, limitName: string): string {
  return `${ownerId}\n${principalId}\n${limitName}`
}
