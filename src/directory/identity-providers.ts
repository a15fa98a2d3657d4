import { GatewayError } from '../errors/gateway-error.ts'
import type { Actor } from './audit.ts'
import type { Change, MakeChange } from './change.ts'
import type { Session } from './database.ts'
import { decided, type Check, type Edit } from './edit.ts'
import { oneRow } from './one-row.ts'
import { cursorOf, type Page } from './page.ts'
import type { ProviderRecord } from './provider-record.ts'
import { generateId } from './random-id.ts'
import { deleteRoleBindingsOf } from './role-bindings.ts'
import {
  countProviders,
  deleteProviderById,
  findProvider,
  insertProvider,
  lockProvider,
  pageOfProviders,
  poolsOfProvider,
  updateProvider,
  type ListedProviderRow,
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
export type IdentityProviderChanges = Partial<Described & Pick<ProviderRecord, 'state'>>

/** An identity provider as lists show it. Instants are milliseconds since the epoch. */
export type ListedIdentityProvider = ProviderRecord & {
  readonly displayName: string
  readonly description: string
  readonly createdAtMs: number
  readonly updatedAtMs: number
  /** Grows with every change. */
  readonly version: number
}

/** Which providers are listed; what is absent does not matter. */
export type IdentityProviderFilter = { readonly issuer?: string | undefined }

/** The issuers of external tokens that organizations trust. */
export type IdentityProviders = {
  readonly create: (provider: NewIdentityProvider, actor: Actor) => Promise<ListedIdentityProvider>
  readonly update: (
    id: string,
    edit: Edit<ListedIdentityProvider, IdentityProviderChanges>,
    actor: Actor,
  ) => Promise<ListedIdentityProvider>
  /** Accept its tokens. */
  readonly enable: (id: string, actor: Actor) => Promise<void>
  /** Refuse its tokens until it is enabled again. */
  readonly disable: (id: string, actor: Actor) => Promise<void>
  /** Delete a provider and its pools. */
  readonly delete: (
    id: string,
    actor: Actor,
    check?: Check<ListedIdentityProvider>,
  ) => Promise<void>
  readonly find: (id: string) => Promise<ListedIdentityProvider | undefined>
  /** Those of an organization, in the order of their ids. */
  readonly list: (
    organizationId: string,
    page: Page,
    filter?: IdentityProviderFilter,
  ) => Promise<readonly ListedIdentityProvider[]>
  readonly count: (organizationId: string, filter?: IdentityProviderFilter) => Promise<number>
}

/** Manage identity providers. */
export function manageIdentityProviders(session: Session, make: MakeChange): IdentityProviders {
  return {
    create: (provider, actor) => make(actor, (change) => create(change, provider)),
    update: (id, edit, actor) => make(actor, (change) => update(change, id, edit)),
    enable: (id, actor) => make(actor, (change) => setState(change, id, 'enabled')),
    disable: (id, actor) => make(actor, (change) => setState(change, id, 'disabled')),
    delete: (id, actor, check) => make(actor, (change) => remove(change, id, check)),
    find: async (id) => {
      const [row] = await session.query(findProvider, id)
      return row && shown(row)
    },
    list: async (organizationId, page, { issuer } = {}) => {
      const values = [organizationId, issuer, ...cursorOf(page)]
      return (await session.query(pageOfProviders, ...values)).map(shown)
    },
    count: async (organizationId, { issuer } = {}) =>
      oneRow(await session.query(countProviders, organizationId, issuer)).total,
  }
}

async function create(
  change: Change,
  provider: NewIdentityProvider,
): Promise<ListedIdentityProvider> {
  const id = generateId('op')
  const { organizationId } = provider
  const rows = await change.query(insertProvider, id, organizationId, ...columnsOf(provider))
  const after = shown(oneRow(rows))
  await change.record('identity-provider.created', organizationId, { id, after })
  change.affects('issuer', provider.issuer)
  return after
}

async function update(
  change: Change,
  id: string,
  edit: Edit<ListedIdentityProvider, IdentityProviderChanges>,
): Promise<ListedIdentityProvider> {
  const { provider: before } = await locked(change, id)
  return write(change, before, { ...before, ...decided(edit, before) }, 'updated')
}

async function setState(change: Change, id: string, state: ProviderRecord['state']): Promise<void> {
  const { provider: before } = await locked(change, id)
  if (before.state !== state) await write(change, before, { ...before, state }, state)
}

async function write(
  change: Change,
  before: ListedIdentityProvider,
  wanted: Described & Pick<ProviderRecord, 'state'>,
  what: 'updated' | 'enabled' | 'disabled',
): Promise<ListedIdentityProvider> {
  const { id, organizationId } = before
  const values = [id, ...columnsOf(wanted), wanted.state]
  const after = shown(oneRow(await change.query(updateProvider, ...values)))
  await change.record(`identity-provider.${what}`, organizationId, { id, before, after })
  change.affects('issuer', after.issuer)
  return after
}

async function remove(
  change: Change,
  id: string,
  check?: Check<ListedIdentityProvider>,
): Promise<void> {
  const { provider: before, poolIds } = await locked(change, id)
  check?.(before)
  const { organizationId } = before
  await deleteRoleBindingsOf(change, organizationId, poolIds)
  await change.query(deleteProviderById, id)
  await change.record('identity-pool.deleted', organizationId, ...poolIds)
  await change.record('identity-provider.deleted', organizationId, { id, before })
}

/** Whatever becomes of a provider, its pools are cached with it, and it is cached by its issuer. */
async function locked(
  change: Change,
  id: string,
): Promise<{ readonly provider: ListedIdentityProvider; readonly poolIds: readonly string[] }> {
  const [row] = await change.query(lockProvider, id)
  if (row === undefined) throw new GatewayError('RESOURCE_NOT_FOUND')
  const poolIds = (await change.query(poolsOfProvider, id)).map((pool) => pool.id)
  change.affects('issuer', row.issuer)
  change.affects('identity-pool', ...poolIds)
  return { provider: shown(row), poolIds }
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

function shown(row: ListedProviderRow): ListedIdentityProvider {
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
    createdAtMs: row.created_at_ms,
    updatedAtMs: row.updated_at_ms,
    version: row.version,
  }
}
