import type { IdentityProviderRecord } from './identity-provider.ts'
import { algorithmsAllowed } from './keys/algorithm.ts'
import type { KeySets } from './keys/key-sets.ts'
import type { UnverifiedToken } from './tokens/compact-jws.ts'
import { refused, type TokenRefusal } from './tokens/refusal.ts'
import { createVerifiedTokens, digestToken } from './tokens/verified-tokens.ts'
import { createTokenVerifier, type VerifiedToken } from './tokens/verifier.ts'

/**
 * Verify a token by what one provider's record says. Tokens verified within the last minute cost no
 * signature again. Providers of one issuer, address and algorithms share what was found out;
 * others do not, so that nobody's keys open another organization.
 *
 * @throws {GatewayError} DIRECTORY_UNAVAILABLE, thrown or rejected
 */
export type VerifyForProvider = (
  token: UnverifiedToken,
  provider: IdentityProviderRecord,
) => VerifiedToken | TokenRefusal | Promise<VerifiedToken | TokenRefusal>

type Parts = {
  readonly keySets: KeySets
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** 0 to 60. */
  readonly clockToleranceSeconds: number
  readonly maxLifetimeSeconds: number
}

/** Access tokens, and tokens that name no type: many providers issue nothing else. */
const externalTypes = [undefined, 'jwt', 'at+jwt']

/** Where a record names none. */
const defaultFamilies = ['RS', 'PS', 'ES', 'EdDSA']

/** Build the verifier for providers' records. */
export function createProviderVerifier(parts: Parts): VerifyForProvider {
  const { keySets, now, clockToleranceSeconds, maxLifetimeSeconds } = parts
  const verifiedTokens = createVerifiedTokens<VerifiedToken>({ now })
  return (token, provider) => {
    const digest = digestToken(token.text, trustOf(provider))
    return verifiedTokens.find(digest) ?? verify(token, provider, digest)
  }

  async function verify(
    token: UnverifiedToken,
    { issuer, jwksUri, algorithms: written }: IdentityProviderRecord,
    digest: ReturnType<typeof digestToken>,
  ): Promise<VerifiedToken | TokenRefusal> {
    const algorithms = written.length === 0 ? defaultFamilies : written
    // A record without a known algorithm accepts nothing.
    if (algorithmsAllowed(algorithms).size === 0) return refused('algorithm')
    const verifyToken = createTokenVerifier(
      {
        issuer,
        algorithms,
        types: externalTypes,
        audience: undefined,
        findKey: keySets.keysOf({ issuer, jwksUri }),
        clockToleranceSeconds,
        maxLifetimeSeconds,
      },
      now,
    )
    const verified = await verifyToken(token)
    if (verified.kind === 'refused') return verified
    // The claims as objects take a few times their text.
    const bytes = 4 * token.text.length
    verifiedTokens.remember(digest, verified, { expiresAtMs: verified.expiresAtMs, bytes })
    return verified
  }
}

/** What decides whether a token of an issuer is believed. */
export function trustOf({ issuer, jwksUri, algorithms }: IdentityProviderRecord): string {
  return JSON.stringify([issuer, jwksUri, [...algorithms].sort()])
}
