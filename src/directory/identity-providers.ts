import { GatewayError } from '../errors/gateway-error.ts'
import type { Actor } from './audit.ts'
import type { Change, MakeChange } from './change.ts'
import type { Session } from './database.ts'
import type { Page } from './page.ts'
import type { ProviderRecord } from './provider-record.ts'
import { generateId } from './random-id.ts'
import { deleteRoleBindingsOf } from './role-bindings.ts'
import {
  deleteProviderById,
  insertProvider,
  lockProvider,
  pageOfProviders,
  poolsOfProvider,
  setProviderState,
  updateProvider,
  type LockedProvider,
} from './sql/identity-providers.ts'

/** What is said of an identity provider; see ProviderRecord. */
type Described = {
  readonly displayName: string
  readonly description?: string
  /** An organization has one provider per issuer; several organizations may trust one issuer. */
  readonly issuer: string
  readonly jwksUri?: string | undefined
  readonly identityClaim?: string | undefined
  readonly algorithms?: readonly string[]
}

export type NewIdentityProvider = Described & { readonly organizationId: string }

/** What is absent stays as it is; `undefined` takes away what may be missing. */
export type IdentityProviderChanges = Partial<Described>

/** An identity provider as lists show it. Instants are milliseconds since the epoch. */
export type ListedIdentityProvider = ProviderRecord & {
  readonly displayName: string
  readonly description: string
  readonly createdAtMs: number
  readonly updatedAtMs: number
}

/** The issuers of external tokens that organizations trust. */
export type IdentityProviders = {
  readonly create: (provider: NewIdentityProvider, actor: Actor) => Promise<{ id: string }>
  readonly update: (id: string, changes: IdentityProviderChanges, actor: Actor) => Promise<void>
  /** Accept its tokens. */
  readonly enable: (id: string, actor: Actor) => Promise<void>
  /** Refuse its tokens until it is enabled again. */
  readonly disable: (id: string, actor: Actor) => Promise<void>
  /** Delete a provider and its pools. */
  readonly delete: (id: string, actor: Actor) => Promise<void>
  /** Those of an organization, in the order of their ids. */
  readonly list: (organizationId: string, page: Page) => Promise<readonly ListedIdentityProvider[]>
}

/** Manage identity providers. */
export function manageIdentityProviders(session: Session, make: MakeChange): IdentityProviders {
  return {
    create: (provider, actor) => make(actor, (change) => create(change, provider)),
    update: (id, changes, actor) => make(actor, (change) => update(change, id, changes)),
    enable: (id, actor) => make(actor, (change) => setState(change, id, 'enabled')),
    disable: (id, actor) => make(actor, (change) => setState(change, id, 'disabled')),
    delete: (id, actor) => make(actor, (change) => remove(change, id)),
    list: (organizationId, page) => list(session, organizationId, page),
  }
}

async function create(change: Change, provider: NewIdentityProvider): Promise<{ id: string }> {
  const id = generateId('op')
  const { organizationId } = provider
  await change.query(insertProvider, id, organizationId, ...columnsOf(provider))
  await change.record('identity-provider.created', organizationId, id)
  change.affects('issuer', provider.issuer)
  return { id }
}

async function update(change: Change, id: string, changes: IdentityProviderChanges): Promise<void> {
  const before = await locked(change, id)
  await change.query(updateProvider, id, ...columnsOf({ ...before, ...changes }))
  await change.record('identity-provider.updated', before.organizationId, id)
  change.affects('issuer', changes.issuer ?? before.issuer)
}

async function setState(change: Change, id: string, state: ProviderRecord['state']): Promise<void> {
  const before = await locked(change, id)
  if (before.state === state) return
  await change.query(setProviderState, id, state)
  await change.record(`identity-provider.${state}`, before.organizationId, id)
}

async function remove(change: Change, id: string): Promise<void> {
  const { organizationId, poolIds } = await locked(change, id)
  await deleteRoleBindingsOf(change, organizationId, poolIds)
  await change.query(deleteProviderById, id)
  await change.record('identity-pool.deleted', organizationId, ...poolIds)
  await change.record('identity-provider.deleted', organizationId, id)
}

/** Whatever becomes of a provider, its pools are cached with it, and it is cached by its issuer. */
async function locked(
  change: Change,
  id: string,
): Promise<
  Omit<ListedIdentityProvider, 'createdAtMs' | 'updatedAtMs'> & {
    readonly poolIds: readonly string[]
  }
> {
  const [row] = await change.query(lockProvider, id)
  if (row === undefined) throw new GatewayError('RESOURCE_NOT_FOUND')
  const poolIds = (await change.query(poolsOfProvider, id)).map((pool) => pool.id)
  change.affects('issuer', row.issuer)
  change.affects('identity-pool', ...poolIds)
  return { ...shown(row), poolIds }
}

/** In the order in which both statements take them. */
function columnsOf(provider: Described): readonly (string | undefined | readonly string[])[] {
  return [
    provider.displayName,
    provider.description ?? '',
    provider.issuer,
    provider.jwksUri,
    provider.identityClaim,
    provider.algorithms ?? [],
  ]
}

async function list(
  session: Session,
  organizationId: string,
  { after, limit }: Page,
): Promise<readonly ListedIdentityProvider[]> {
  const rows = await session.query(pageOfProviders, organizationId, after, limit)
  return rows.map((row) => ({
    ...shown(row),
    createdAtMs: row.created_at_ms,
    updatedAtMs: row.updated_at_ms,
  }))
}

function shown(row: LockedProvider): Omit<ListedIdentityProvider, 'createdAtMs' | 'updatedAtMs'> {
  return {
    id: row.id,
    organizationId: row.organization_id,
    displayName: row.display_name,
    description: row.description,
    issuer: row.issuer,
    jwksUri: row.jwks_uri,
    identityClaim: row.identity_claim,
    algorithms: row.algorithms,
    state: row.state,
  }
}
