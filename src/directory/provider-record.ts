import type { Session } from './database.ts'
import {
  findPoolWithProvider,
  findProvidersOfIssuer,
  type ProviderRow,
} from './sql/identity-providers.ts'

/** An identity provider as tokens are verified with it. */
export type ProviderRecord = {
  readonly id: string
  readonly organizationId: string
  /** Equal to the `iss` of its tokens, byte by byte. */
  readonly issuer: string
  /** Where its key set is; undefined: to be found by OpenID Connect Discovery. */
  readonly jwksUri: string | undefined
  /** JWS algorithms that its tokens may be signed with; empty: those of the default families. */
  readonly algorithms: readonly string[]
  /** For example `claims.sub`: names the caller where no pool or several match. */
  readonly identityClaim: string | undefined
  readonly state: 'enabled' | 'disabled'
}

/** An identity pool as tokens are matched with it. */
export type PoolRecord = {
  readonly id: string
  /** For example `claims.sub`: names the caller within the pool. */
  readonly identityClaim: string
  /** A CEL expression over `claims`. */
  readonly filter: string
  readonly state: 'enabled' | 'disabled'
}

/** A provider together with its pools, in the order of their ids. */
export type ProviderWithPools = ProviderRecord & { readonly pools: readonly PoolRecord[] }

/** A pool together with the provider that it belongs to. */
export type PoolWithProvider = { readonly pool: PoolRecord; readonly provider: ProviderRecord }

/** Read who trusts an issuer: at most one provider of each organization, by their ids. */
export async function readProviders(
  session: Session,
  issuer: string,
): Promise<readonly ProviderWithPools[] | undefined> {
  const rows = await session.query(findProvidersOfIssuer, issuer)
  if (rows.length === 0) return undefined
  return [...Map.groupBy(rows, ({ id }) => id).values()].flatMap((ofProvider) => {
    const [row] = ofProvider
    return row === undefined ? [] : [{ ...providerOf(row), pools: ofProvider.flatMap(poolsOf) }]
  })
}

/** Read a pool and its provider. */
export async function readPool(
  session: Session,
  poolId: string,
): Promise<PoolWithProvider | undefined> {
  const [row] = await session.query(findPoolWithProvider, poolId)
  if (row === undefined) return undefined
  const [pool] = poolsOf(row)
  return pool && { pool, provider: providerOf(row) }
}

/** What the columns of a provider say. */
function providerOf(row: ProviderRow): ProviderRecord {
  return {
    id: row.id,
    organizationId: row.organization_id,
    issuer: row.issuer,
    jwksUri: row.jwks_uri,
    algorithms: row.algorithms,
    identityClaim: row.identity_claim,
    state: row.state,
  }
}

/** The pool of a row, or none where the provider has none. */
function poolsOf(row: ProviderRow): readonly PoolRecord[] {
  const { pool_id: id, pool_identity_claim: identityClaim, pool_filter: filter } = row
  const state = row.pool_state
  if (id === undefined || identityClaim === undefined || filter === undefined || state === null)
    return []
  return [{ id, identityClaim, filter, state }]
}
