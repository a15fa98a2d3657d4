/**
 * Why a token was refused: for the log only. The caller is told CREDENTIAL_REJECTED, the same for
 * every reason.
 */
export type TokenRefusalReason =
  // What it is made of
  | 'too-long'
  | 'not-a-compact-jws'
  | 'not-canonical-base64url'
  | 'header-not-strict-json'
  | 'header-member-refused'
  | 'header-malformed'
  | 'claims-not-strict-json'
  | 'issuer-missing'
  // Who signed it
  | 'unknown-issuer'
  | 'too-many-providers'
  | 'token-type'
  | 'algorithm'
  | 'unknown-kid'
  | 'key-of-other-algorithm'
  | 'signature'
  // What it claims
  | 'claim-invalid'
  | 'audience'
  | 'expired'
  | 'not-yet-valid'
  | 'lifetime'
  // Which pools it belongs to
  | 'pool-header-malformed'
  | 'unknown-pool'
  | 'no-pool-matches'
  | 'too-many-pools'
  | 'claims-too-large'
  | 'ambiguous-organization'
  | 'subject-missing'
  // Whether what it rests on still stands
  | 'revoked'
  | 'unknown-client'

/** A token that opens nothing. */
export type TokenRefusal = { readonly kind: 'refused'; readonly reason: TokenRefusalReason }

/** Refuse a token. */
export function refused(reason: TokenRefusalReason): TokenRefusal {
  return { kind: 'refused', reason }
}
