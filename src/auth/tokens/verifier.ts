import { errors, jwtVerify, type JWTVerifyOptions } from 'jose'
import { algorithmNamed, algorithmsAllowed, type SignatureAlgorithm } from '../keys/algorithm.ts'
import type { FindKey } from '../keys/verification-key.ts'
import { readRegisteredClaims, type RegisteredClaims } from './claims.ts'
import type { UnverifiedToken } from './compact-jws.ts'
import { refused, type TokenRefusal, type TokenRefusalReason } from './refusal.ts'
import type { JsonObject } from './strict-json.ts'

/** A token whose signature and claims hold. */
export type VerifiedToken = {
  readonly kind: 'verified'
  readonly issuer: string
  /** `sub`: 1 to 255 characters. */
  readonly subject: string
  readonly claims: JsonObject
  /** Milliseconds since the epoch, the tolerance not counted in. */
  readonly expiresAtMs: number
  readonly typ: string | undefined
}

/** What the tokens of one issuer must be. */
export type IssuerExpectations = {
  /** Equal to `iss`, to the letter. */
  readonly issuer: string
  /** Names or families, as in IdentityProviderRecord. */
  readonly algorithms: readonly string[]
  /** Types that are accepted, in lower case without `application/`; undefined: a token without one. */
  readonly types: readonly (string | undefined)[]
  /** Exactly this `aud`, and no list; undefined: any, as pools decide it by their filters. */
  readonly audience: string | undefined
  readonly findKey: FindKey
  /** 0 to 60: how far clocks may differ. */
  readonly clockToleranceSeconds: number
  /** The longest time from `iat` to `exp`. */
  readonly maxLifetimeSeconds: number
}

/**
 * Verify what a token says of itself. A refusal is an answer; rejections are failures.
 *
 * @throws {GatewayError} DIRECTORY_UNAVAILABLE where the issuer's key cannot be had
 */
export type VerifyToken = (token: UnverifiedToken) => Promise<VerifiedToken | TokenRefusal>

/**
 * Build the verifier of one issuer's tokens: the checks that jose leaves out stand around it. The
 * cheap ones come first, so that a token that cannot be good costs no signature.
 *
 * @param now milliseconds since the epoch
 * @throws {RangeError} where the expectations would accept anything, or a tolerance above 60 s
 * @see RFC 7519 §4.1, RFC 8725 §3
 */
export function createTokenVerifier(
  expectations: IssuerExpectations,
  now: () => number,
): VerifyToken {
  const { issuer, types, audience, findKey, clockToleranceSeconds } = expectations
  const allowed = algorithmsAllowed(expectations.algorithms)
  if (allowed.size === 0) throw new RangeError('no algorithm is allowed')
  if (!(clockToleranceSeconds >= 0 && clockToleranceSeconds <= 60))
    throw new RangeError('the clock tolerance is not within 0 and 60 s')
  const options: JWTVerifyOptions = {
    issuer,
    ...(audience === undefined ? {} : { audience }),
    algorithms: [...allowed, ...(allowed.has('EdDSA') ? ['Ed25519'] : [])],
    requiredClaims: ['exp', 'iat', 'sub'],
    clockTolerance: clockToleranceSeconds,
  }

  return async (token) => {
    const algorithm = algorithmNamed(token.header.alg)
    const refusal = headRefusal(token, algorithm)
    if (refusal !== undefined) return refused(refusal)
    const registered = readRegisteredClaims(token.claims, expectations, now())
    if (registered.kind === 'refused') return registered
    const key = await findKey(token.header.kid)
    if (key === undefined) return refused('unknown-kid')
    if (key.algorithm !== algorithm) return refused('key-of-other-algorithm')
    const flaw = await signatureRefusal(token.text, key.key, {
      ...options,
      currentDate: new Date(now()),
    })
    return flaw === undefined ? verified(token, registered) : refused(flaw)
  }

  function headRefusal(
    { header, issuer: presentedIssuer }: UnverifiedToken,
    algorithm: SignatureAlgorithm | undefined,
  ): TokenRefusalReason | undefined {
    if (presentedIssuer !== issuer) return 'unknown-issuer'
    if (!types.includes(header.typ)) return 'token-type'
    return algorithm === undefined || !allowed.has(algorithm) ? 'algorithm' : undefined
  }
}

/** The library's words stay here: they would tell a caller which check failed. */
async function signatureRefusal(
  text: string,
  key: Parameters<typeof jwtVerify>[1],
  options: JWTVerifyOptions,
): Promise<TokenRefusalReason | undefined> {
  try {
    await jwtVerify(text, key, options)
    return undefined
  } catch (error) {
    if (!(error instanceof errors.JOSEError)) throw error
    return error instanceof errors.JWSSignatureVerificationFailed ? 'signature' : 'claim-invalid'
  }
}

function verified(token: UnverifiedToken, registered: RegisteredClaims): VerifiedToken {
  return {
    kind: 'verified',
    issuer: token.issuer,
    subject: registered.subject,
    claims: token.claims,
    expiresAtMs: registered.expiresAtSeconds * 1000,
    typ: token.header.typ,
  }
}
