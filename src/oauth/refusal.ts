/** What a client is told went wrong (RFC 6749 §5.2, RFC 8707 §2; the last is of RFC 6749 §4.1.2.1). */
type OAuthError =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_grant'
  | 'unsupported_grant_type'
  | 'invalid_scope'
  | 'invalid_target'
  | 'temporarily_unavailable'

/** A request that is refused, and as what. */
export type Refusal = {
  readonly kind: 'refused'
  readonly status: 400 | 401 | 413 | 503
  readonly error: OAuthError
  readonly description: string
  readonly headers: Readonly<Record<string, string>>
  /** What is wrong, for the log only, where that is more than the client is told. */
  readonly reason?: string
}

type Particulars = Partial<Pick<Refusal, 'status' | 'headers' | 'reason'>>

/**
 * Refuse a request.
 *
 * @param description a sentence of ASCII without quotes and backslashes, since the field allows no
 *   others; never a word that the client sent
 */
export function refuse(
  error: OAuthError,
  description: string,
  { status = 400, headers = {}, ...reason }: Particulars = {},
): Refusal {
  return { kind: 'refused', status, error, description, headers, ...reason }
}

/** The challenge of RFC 6749 §5.2, which is owed where the Authorization field was used. */
export const basicChallenge = { 'WWW-Authenticate': 'Basic realm="gatehouse"' } as const
