import type { FindProviders, IdentityProviderRecord } from './identity-provider.ts'
import type { KeySets } from './keys/key-sets.ts'
import { createFilterCache } from './pools/filter-cache.ts'
import { subjectOf } from './pools/identity-claim.ts'
import { createFilterCompilerLoader } from './pools/load-filter-compiler.ts'
import { readPoolHeader, type PoolRequest } from './pools/pool-header.ts'
import { selectPools } from './pools/select-pools.ts'
import { createBelief, type Believed } from './provider-belief.ts'
import { createProviderVerifier } from './provider-verifier.ts'
import { readCompactJws, type UnverifiedToken } from './tokens/compact-jws.ts'
import { refused, type TokenRefusal } from './tokens/refusal.ts'
import { createVerifiedTokens, digestToken, type TokenDigest } from './tokens/verified-tokens.ts'

/** Whom an external token stands for. */
export type ExternalIdentity = {
  readonly kind: 'external-identity'
  readonly organizationId: string
  /** At least one, sorted: the caller has the permissions of all. */
  readonly poolIds: readonly string[]
  /** The value of the identity claim. */
  readonly subject: string
  readonly issuer: string
  /** Milliseconds since the epoch. */
  readonly expiresAtMs: number
}

/** What a request says besides the token. */
export type TokenContext = {
  /** The raw field that names identity pools, or undefined where it is absent. */
  readonly poolHeader: string | undefined
  /** Where the operation tells whose it is, other organizations do not count. */
  readonly organizationId: string | undefined
}

type Answer = ExternalIdentity | TokenRefusal

type FilterOf = ReturnType<typeof createFilterCache>

/**
 * Verify a token of a customer's identity provider. The answer is no promise where the token was
 * seen within the last minute and the providers' records are at hand.
 *
 * @throws {GatewayError} DIRECTORY_UNAVAILABLE, thrown or rejected
 */
export type VerifyExternalToken = (token: string, context: TokenContext) => Answer | Promise<Answer>

type Parts = {
  readonly findProviders: FindProviders
  readonly keySets: KeySets
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** 0 to 60. Default: 60. */
  readonly clockToleranceSeconds?: number
  /** From `iat` to `exp`. Default: a day. */
  readonly maxLifetimeSeconds?: number
}

/** What was decided, and by which records. */
type Decision = {
  readonly providers: readonly IdentityProviderRecord[]
  readonly identity: ExternalIdentity
}

/**
 * Build the verifier of external tokens. A decision is remembered together with the records that it
 * was made by; when one of them is another than before, the token is decided anew at its next use,
 * so that a pool that is disabled is closed at once.
 */
export function createExternalTokenVerifier(parts: Parts): VerifyExternalToken {
  const { findProviders, now, clockToleranceSeconds = 60, maxLifetimeSeconds = 86_400 } = parts
  const decisions = createVerifiedTokens<Decision>({ now })
  const loadCompiler = createFilterCompilerLoader()
  let filters: FilterOf | undefined
  const believing = createBelief(
    createProviderVerifier({
      keySets: parts.keySets,
      now,
      clockToleranceSeconds,
      maxLifetimeSeconds,
    }),
  )

  return (token, context) => {
    const digest = digestToken(token, JSON.stringify([context.poolHeader, context.organizationId]))
    const decision = decisions.find(digest)
    const presented = decision === undefined ? readCompactJws(token) : undefined
    if (presented?.kind === 'refused') return presented
    const providers = findProviders(presented?.issuer ?? decision?.identity.issuer ?? '')
    return providers instanceof Promise ? providers.then(answerBy) : answerBy(providers)

    function answerBy(known: readonly IdentityProviderRecord[]): Answer | Promise<Answer> {
      if (decision !== undefined && isSame(decision.providers, known)) return decision.identity
      const read = presented ?? readCompactJws(token)
      return read.kind === 'refused' ? read : decide(read, known, context, digest)
    }
  }

  async function decide(
    token: UnverifiedToken,
    providers: readonly IdentityProviderRecord[],
    { poolHeader, organizationId }: TokenContext,
    digest: TokenDigest,
  ): Promise<Answer> {
    const request = readPoolHeader(poolHeader)
    const possible = providers.filter(
      (provider) =>
        provider.state === 'enabled' &&
        provider.issuer === token.issuer &&
        (organizationId === undefined || provider.organizationId === organizationId),
    )
    const asked = possible.filter((provider) => hasPoolFor(provider, request))
    if (possible.length === 0) return refused('unknown-issuer')
    if (asked.length === 0) return refused('unknown-pool')
    const believed = await believing(token, asked)
    if (believed.kind === 'refused') return believed
    const compile = await loadCompiler()
    filters ??= createFilterCache(compile)
    const identity = identify(believed, request, filters)
    if (identity.kind === 'external-identity')
      decisions.remember(
        digest,
        { providers, identity },
        { expiresAtMs: identity.expiresAtMs, bytes: 1000 },
      )
    return identity
  }

  function identify(
    { token, providers }: Believed,
    request: PoolRequest,
    filterOf: FilterOf,
  ): Answer {
    const candidates = providers.flatMap((provider) =>
      provider.pools.map((pool) => ({ provider, pool })),
    )
    const selected = selectPools(token.claims, candidates, request, filterOf)
    if (selected.kind === 'refused') return selected
    const subject = subjectOf(token.claims, selected.candidates)
    if (subject === undefined) return refused('subject-missing')
    return {
      kind: 'external-identity',
      organizationId: selected.organizationId,
      poolIds: selected.candidates.map(({ pool }) => pool.id).sort(),
      subject,
      issuer: token.issuer,
      expiresAtMs: token.expiresAtMs,
    }
  }
}

function hasPoolFor(provider: IdentityProviderRecord, request: PoolRequest): boolean {
  return request.kind !== 'named' || provider.pools.some(({ id }) => request.ids.includes(id))
}

/** The same records: what has changed is another object. */
function isSame(
  before: readonly IdentityProviderRecord[],
  after: readonly IdentityProviderRecord[],
): boolean {
  return before.length === after.length && before.every((record, index) => record === after[index])
}
