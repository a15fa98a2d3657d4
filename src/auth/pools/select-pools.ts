import type { IdentityPoolRecord, IdentityProviderRecord } from '../identity-provider.ts'
import { refused, type TokenRefusal } from '../tokens/refusal.ts'
import type { JsonObject } from '../tokens/strict-json.ts'
import { celClaims } from './cel-claims.ts'
import type { Filter } from './filter.ts'
import type { PoolRequest } from './pool-header.ts'

/** A pool of a provider whose token was verified. */
export type PoolCandidate = {
  readonly provider: IdentityProviderRecord
  readonly pool: IdentityPoolRecord
}

/** The pools whose permissions a caller has: at least one, all of one organization. */
export type SelectedPools = {
  readonly kind: 'selected'
  readonly organizationId: string
  readonly candidates: readonly PoolCandidate[]
}

/** Filters that one token may be held against, each of a few milliseconds at worst. */
const maxFilters = 100

/**
 * Choose a caller's pools: those named that match, or all that match. A named pool that does not
 * exist or is disabled refuses the whole request, since the caller relies on it; one that does not
 * match adds nothing. Pools of several organizations are never joined.
 *
 * @param filterOf the compiled filter of a text, or undefined where it does not compile
 */
export function selectPools(
  claims: JsonObject,
  candidates: readonly PoolCandidate[],
  request: PoolRequest,
  filterOf: (text: string) => Filter | undefined,
): SelectedPools | TokenRefusal {
  if (request.kind === 'malformed') return refused('pool-header-malformed')
  const enabled = candidates.filter(({ pool }) => pool.state === 'enabled')
  const asked = request.kind === 'named' ? enabled.filter(isNamedIn(request.ids)) : enabled
  if (
    request.kind === 'named' &&
    !request.ids.every((id) => asked.some(({ pool }) => pool.id === id))
  )
    return refused('unknown-pool')
  if (asked.length > maxFilters) return refused('too-many-pools')
  const readable = celClaims(claims)
  if (readable === undefined) return refused('claims-too-large')
  const matching = asked.filter(({ pool }) => filterOf(pool.filter)?.matches(readable) === true)
  return ofOneOrganization(matching)
}

function isNamedIn(ids: readonly string[]): (candidate: PoolCandidate) => boolean {
  return ({ pool }) => ids.includes(pool.id)
}

function ofOneOrganization(candidates: readonly PoolCandidate[]): SelectedPools | TokenRefusal {
  const [first, ...others] = candidates
  if (first === undefined) return refused('no-pool-matches')
  const { organizationId } = first.provider
  if (others.some(({ provider }) => provider.organizationId !== organizationId))
    return refused('ambiguous-organization')
  return { kind: 'selected', organizationId, candidates }
}
