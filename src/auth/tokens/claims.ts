import { refused, type TokenRefusal, type TokenRefusalReason } from './refusal.ts'
import { isJsonObject, type JsonObject } from './strict-json.ts'

type Bounds = {
  readonly audience: string | undefined
  readonly clockToleranceSeconds: number
  readonly maxLifetimeSeconds: number
}

const maxSubjectLength = 255
const maxAudiences = 100

/** Claims of RFC 7519 §4.1 that a verified token is used by. */
export type RegisteredClaims = {
  readonly kind: 'registered'
  readonly subject: string
  readonly expiresAtSeconds: number
}

/**
 * Read the registered claims, or say what is wrong with them. jose accepts `exp` of 1e300, `iat` in
 * the future and a `sub` that is no string; none of them passes here.
 *
 * @see RFC 7519 §4.1
 */
export function readRegisteredClaims(
  claims: JsonObject,
  bounds: Bounds,
  nowMs: number,
): RegisteredClaims | TokenRefusal {
  const { sub, exp, iat, nbf, events } = claims
  // Security events and logout tokens are signed by the same keys, and some carry no type (RFC 8417).
  if (isJsonObject(events)) return refused('token-type')
  if (!isSubject(sub) || !isTime(exp) || !isTime(iat) || !(nbf === undefined || isTime(nbf)))
    return refused('claim-invalid')
  const reason =
    timeRefusal({ exp, iat, nbf }, bounds, nowMs / 1000) ??
    audienceRefusal(claims['aud'], bounds.audience)
  if (reason !== undefined) return refused(reason)
  return { kind: 'registered', subject: sub, expiresAtSeconds: exp }
}

/** What a principal may be named after: it goes to logs and header fields of upstreams. */
export function isSubject(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value !== '' &&
    value.length <= maxSubjectLength &&
    value.isWellFormed() &&
    !/[\p{Cc}\u2028\u2029]/u.test(value)
  )
}

function timeRefusal(
  {
    exp,
    iat,
    nbf,
  }: { readonly exp: number; readonly iat: number; readonly nbf: number | undefined },
  { clockToleranceSeconds, maxLifetimeSeconds }: Bounds,
  nowSeconds: number,
): TokenRefusalReason | undefined {
  if (exp - iat > maxLifetimeSeconds || exp <= iat) return 'lifetime'
  if (exp + clockToleranceSeconds <= nowSeconds) return 'expired'
  const latestStart = nowSeconds + clockToleranceSeconds
  return iat > latestStart || (nbf ?? iat) > latestStart ? 'not-yet-valid' : undefined
}

/** NumericDate allows fractions (RFC 7519 §2); no issuer that is known sends one. */
function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function audienceRefusal(
  audience: unknown,
  expected: string | undefined,
): TokenRefusalReason | undefined {
  if (expected !== undefined) return audience === expected ? undefined : 'audience'
  const named: readonly unknown[] = Array.isArray(audience) ? audience : [audience ?? '']
  return named.length <= maxAudiences && named.every((one) => typeof one === 'string')
    ? undefined
    : 'audience'
}
