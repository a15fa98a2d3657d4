import { isDeepStrictEqual } from 'node:util'
import { GatewayError } from '../errors/gateway-error.ts'
import type { Actor } from './audit.ts'
import type { Change, MakeChange } from './change.ts'
import type { Session } from './database.ts'
import { decided, type Check, type Edit } from './edit.ts'
import { oneRow } from './one-row.ts'
import { cursorOf, type Page } from './page.ts'
import {
  allOverrides,
  countOverrides,
  deleteOverride,
  findNamedOverride,
  findOverride,
  insertOverride,
  lockOverride,
  pageOfOverrides,
  updateOverride,
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

export type NewLimitOverride = LimitOverrideName & {
  /** A positive whole number. */
  readonly limit: number
}

/** What is absent stays as it is. What an override is the limit of does not change. */
export type LimitOverrideChanges = { readonly limit?: number }

/** An override as lists show it. Instants are milliseconds since the epoch. */
export type ListedLimitOverride = NewLimitOverride & {
  readonly id: string
  readonly createdAtMs: number
  readonly updatedAtMs: number
  /** Grows with every change. */
  readonly version: number
}

/** Limits that are not the configured ones. They apply on every replica within a second. */
export type LimitOverrides = {
  /** CONFLICT where the limit is another one already. */
  readonly create: (override: NewLimitOverride, actor: Actor) => Promise<ListedLimitOverride>
  readonly update: (
    id: string,
    edit: Edit<ListedLimitOverride, LimitOverrideChanges>,
    actor: Actor,
  ) => Promise<ListedLimitOverride>
  readonly delete: (id: string, actor: Actor, check?: Check<ListedLimitOverride>) => Promise<void>
  /** Those of an organization or a partner, in the order of their ids. */
  readonly list: (ownerId: string, page: Page) => Promise<readonly ListedLimitOverride[]>
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
  const makeKnown: MakeChange = async (actor, work) => {
    const result = await make(actor, work)
    await refresh()
    return result
  }
  return {
    create: (override, actor) => makeKnown(actor, (change) => create(change, override)),
    update: (id, edit, actor) => makeKnown(actor, (change) => update(change, id, edit)),
    delete: (id, actor, check) => makeKnown(actor, (change) => remove(change, id, check)),
    list: async (ownerId, page) =>
      (await session.query(pageOfOverrides, ownerId, ...cursorOf(page))).map(shown),
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

async function create(change: Change, override: NewLimitOverride): Promise<ListedLimitOverride> {
  const { organizationId, principalId = '', limitName, limit } = override
  refuseNoLimit(limit)
  const { organization, partner } = ownerOf(organizationId)
  const values = [organization, partner, principalId, limitName, limit]
  const after = shown(oneRow(await change.query(insertOverride, ...values)))
  await change.record('limit-override.created', organization, { id: after.id, after })
  return after
}

async function update(
  change: Change,
  id: string,
  edit: Edit<ListedLimitOverride, LimitOverrideChanges>,
): Promise<ListedLimitOverride> {
  const before = await locked(change, id)
  const { limit, organizationId } = { ...before, ...decided(edit, before) }
  refuseNoLimit(limit)
  const after = shown(oneRow(await change.query(updateOverride, id, limit)))
  const { organization } = ownerOf(organizationId)
  await change.record('limit-override.updated', organization, { id, before, after })
  return after
}

async function remove(
  change: Change,
  id: string,
  check?: Check<ListedLimitOverride>,
): Promise<void> {
  const before = await locked(change, id)
  check?.(before)
  await change.query(deleteOverride, id)
  const { organization } = ownerOf(before.organizationId)
  await change.record('limit-override.deleted', organization, { id, before })
}

async function locked(change: Change, id: string): Promise<ListedLimitOverride> {
  const [row] = await change.query(lockOverride, id)
  if (row === undefined) throw new GatewayError('RESOURCE_NOT_FOUND')
  return shown(row)
}

/** The database would round it. */
function refuseNoLimit(limit: number): void {
  if (Number.isSafeInteger(limit) && limit >= 1) return
  const details = 'The limit must be a positive whole number.'
  throw new GatewayError('VALIDATION_FAILED', { details })
}

function ownerOf(id: string): { readonly organization?: string; readonly partner?: string } {
  return id.startsWith('partner-') ? { partner: id } : { organization: id }
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
    version: row.version,
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
