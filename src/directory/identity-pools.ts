import { GatewayError } from '../errors/gateway-error.ts'
import type { Actor } from './audit.ts'
import type { Change, MakeChange } from './change.ts'
import type { Session } from './database.ts'
import type { Page } from './page.ts'
import type { PoolRecord } from './provider-record.ts'
import { generateId } from './random-id.ts'
import { deleteRoleBindingsOf } from './role-bindings.ts'
import {
  deletePoolById,
  insertPool,
  lockPool,
  pageOfPools,
  setPoolState,
  updatePool,
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
export type IdentityPoolChanges = Partial<Described>

/** An identity pool as lists show it. Instants are milliseconds since the epoch. */
export type ListedIdentityPool = PoolRecord & {
  readonly providerId: string
  readonly displayName: string
  readonly description: string
  readonly createdAtMs: number
  readonly updatedAtMs: number
}

/** The principals that external tokens stand for. */
export type IdentityPools = {
  readonly create: (pool: NewIdentityPool, actor: Actor) => Promise<{ id: string }>
  readonly update: (id: string, changes: IdentityPoolChanges, actor: Actor) => Promise<void>
  readonly enable: (id: string, actor: Actor) => Promise<void>
  /** Nobody is the pool until it is enabled again. */
  readonly disable: (id: string, actor: Actor) => Promise<void>
  readonly delete: (id: string, actor: Actor) => Promise<void>
  /** Those of a provider, in the order of their ids. */
  readonly list: (providerId: string, page: Page) => Promise<readonly ListedIdentityPool[]>
}

/** Manage identity pools. */
export function manageIdentityPools(session: Session, make: MakeChange): IdentityPools {
  return {
    create: (pool, actor) => make(actor, (change) => create(change, pool)),
    update: (id, changes, actor) => make(actor, (change) => update(change, id, changes)),
    enable: (id, actor) => make(actor, (change) => setState(change, id, 'enabled')),
    disable: (id, actor) => make(actor, (change) => setState(change, id, 'disabled')),
    delete: (id, actor) => make(actor, (change) => remove(change, id)),
    list: (providerId, page) => list(session, providerId, page),
  }
}

async function create(change: Change, pool: NewIdentityPool): Promise<{ id: string }> {
  const [provider] = await change.query(holdProvider, pool.providerId)
  if (provider === undefined) throw new GatewayError('RESOURCE_NOT_FOUND')
  const id = generateId('pool')
  await change.query(insertPool, id, pool.providerId, ...columnsOf(pool))
  await change.record('identity-pool.created', provider.organization_id, id)
  change.affects('issuer', provider.issuer)
  return { id }
}

async function update(change: Change, id: string, changes: IdentityPoolChanges): Promise<void> {
  const before = await locked(change, id)
  const merged = { ...shown(before), ...changes }
  await change.query(updatePool, id, ...columnsOf(merged))
  await change.record('identity-pool.updated', before.organization_id, id)
}

async function setState(change: Change, id: string, state: PoolRecord['state']): Promise<void> {
  const before = await locked(change, id)
  if (before.state === state) return
  await change.query(setPoolState, id, state)
  await change.record(`identity-pool.${state}`, before.organization_id, id)
}

async function remove(change: Change, id: string): Promise<void> {
  const before = await locked(change, id)
  await deleteRoleBindingsOf(change, before.organization_id, [id])
  await change.query(deletePoolById, id)
  await change.record('identity-pool.deleted', before.organization_id, id)
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

async function list(
  session: Session,
  providerId: string,
  { after, limit }: Page,
): Promise<readonly ListedIdentityPool[]> {
  const rows = await session.query(pageOfPools, providerId, after, limit)
  return rows.map((row) => ({
    ...shown(row),
    createdAtMs: row.created_at_ms,
    updatedAtMs: row.updated_at_ms,
  }))
}

function shown(
  row: Omit<LockedPool, 'organization_id' | 'issuer'>,
): Omit<ListedIdentityPool, 'createdAtMs' | 'updatedAtMs'> {
  return {
    id: row.id,
    providerId: row.provider_id,
    displayName: row.display_name,
    description: row.description,
    identityClaim: row.identity_claim,
    filter: row.filter,
    state: row.state,
  }
}
