import { GatewayError } from '../errors/gateway-error.ts'
import type { Actor } from './audit.ts'
import type { Change, MakeChange } from './change.ts'
import type { Session } from './database.ts'
import { decided, type Check, type Edit } from './edit.ts'
import { oneRow } from './one-row.ts'
import { cursorOf, type Page } from './page.ts'
import type { PoolRecord } from './provider-record.ts'
import { generateId } from './random-id.ts'
import { deleteRoleBindingsOf } from './role-bindings.ts'
import {
  countPools,
  deletePoolById,
  findListedPool,
  insertPool,
  lockPool,
  pageOfPools,
  updatePool,
  type ListedPoolRow,
  type LockedPool,
} from './sql/identity-pools.ts'
import { holdProvider } from './sql/identity-providers.ts'

/** What is said of an identity pool. */
type Described = {
  readonly displayName: string
  readonly description?: string
  /** For example `claims.sub`. */
  readonly identityClaim: string
  /** A CEL expression over `claims`. That it compiles is for the caller to see to. */
  readonly filter: string
}

export type NewIdentityPool = Described & { readonly providerId: string }

/** What is absent stays as it is. */
export type IdentityPoolChanges = Partial<Described & Pick<PoolRecord, 'state'>>

/** An identity pool as lists show it. Instants are milliseconds since the epoch. */
export type ListedIdentityPool = PoolRecord & {
  readonly providerId: string
  readonly displayName: string
  readonly description: string
  readonly createdAtMs: number
  readonly updatedAtMs: number
  /** Grows with every change. */
  readonly version: number
}

/** The principals that external tokens stand for. */
export type IdentityPools = {
  readonly create: (pool: NewIdentityPool, actor: Actor) => Promise<ListedIdentityPool>
  readonly update: (
    id: string,
    edit: Edit<ListedIdentityPool, IdentityPoolChanges>,
    actor: Actor,
  ) => Promise<ListedIdentityPool>
  readonly enable: (id: string, actor: Actor) => Promise<void>
  /** Nobody is the pool until it is enabled again. */
  readonly disable: (id: string, actor: Actor) => Promise<void>
  readonly delete: (id: string, actor: Actor, check?: Check<ListedIdentityPool>) => Promise<void>
  readonly find: (id: string) => Promise<ListedIdentityPool | undefined>
  /** Those of a provider, in the order of their ids. */
  readonly list: (providerId: string, page: Page) => Promise<readonly ListedIdentityPool[]>
  readonly count: (providerId: string) => Promise<number>
}

/** Manage identity pools. */
export function manageIdentityPools(session: Session, make: MakeChange): IdentityPools {
  return {
    create: (pool, actor) => make(actor, (change) => create(change, pool)),
    update: (id, edit, actor) => make(actor, (change) => update(change, id, edit)),
    enable: (id, actor) => make(actor, (change) => setState(change, id, 'enabled')),
    disable: (id, actor) => make(actor, (change) => setState(change, id, 'disabled')),
    delete: (id, actor, check) => make(actor, (change) => remove(change, id, check)),
    find: async (id) => {
      const [row] = await session.query(findListedPool, id)
      return row && shown(row)
    },
    list: async (providerId, page) =>
      (await session.query(pageOfPools, providerId, ...cursorOf(page))).map(shown),
    count: async (providerId) => oneRow(await session.query(countPools, providerId)).total,
  }
}

async function create(change: Change, pool: NewIdentityPool): Promise<ListedIdentityPool> {
  const [provider] = await change.query(holdProvider, pool.providerId)
  if (provider === undefined) throw new GatewayError('RESOURCE_NOT_FOUND')
  const id = generateId('pool')
  const rows = await change.query(insertPool, id, pool.providerId, ...columnsOf(pool))
  const after = shown(oneRow(rows))
  await change.record('identity-pool.created', provider.organization_id, { id, after })
  change.affects('issuer', provider.issuer)
  return after
}

async function update(
  change: Change,
  id: string,
  edit: Edit<ListedIdentityPool, IdentityPoolChanges>,
): Promise<ListedIdentityPool> {
  const row = await locked(change, id)
  const before = shown(row)
  return write(change, row, { ...before, ...decided(edit, before) }, 'updated')
}

async function setState(change: Change, id: string, state: PoolRecord['state']): Promise<void> {
  const row = await locked(change, id)
  if (row.state !== state) await write(change, row, { ...shown(row), state }, state)
}

async function write(
  change: Change,
  row: LockedPool,
  wanted: Described & Pick<PoolRecord, 'state'>,
  what: 'updated' | 'enabled' | 'disabled',
): Promise<ListedIdentityPool> {
  const { id } = row
  const before = shown(row)
  const rows = await change.query(updatePool, id, ...columnsOf(wanted), wanted.state)
  const after = shown(oneRow(rows))
  await change.record(`identity-pool.${what}`, row.organization_id, { id, before, after })
  return after
}

async function remove(
  change: Change,
  id: string,
  check?: Check<ListedIdentityPool>,
): Promise<void> {
  const row = await locked(change, id)
  const before = shown(row)
  check?.(before)
  await deleteRoleBindingsOf(change, row.organization_id, [id])
  await change.query(deletePoolById, id)
  await change.record('identity-pool.deleted', row.organization_id, { id, before })
}

/** Whatever becomes of a pool, it is cached with its provider's issuer too. */
async function locked(change: Change, id: string): Promise<LockedPool> {
  const [row] = await change.query(lockPool, id)
  if (row === undefined) throw new GatewayError('RESOURCE_NOT_FOUND')
  change.affects('issuer', row.issuer)
  return row
}

/** In the order in which both statements take them. */
function columnsOf(pool: Described): readonly string[] {
  return [pool.displayName, pool.description ?? '', pool.identityClaim, pool.filter]
}

function shown(row: ListedPoolRow): ListedIdentityPool {
  return {
    id: row.id,
    providerId: row.provider_id,
    displayName: row.display_name,
    description: row.description,
    identityClaim: row.identity_claim,
    filter: row.filter,
    state: row.state,
    createdAtMs: row.created_at_ms,
    updatedAtMs: row.updated_at_ms,
    version: row.version,
  }
}
