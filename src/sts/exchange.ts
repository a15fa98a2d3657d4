import type { ExternalIdentity } from '../auth/external-token.ts'
import type { TokenContent } from '../auth/own/issue-token.ts'
import type { TokenRefusal, TokenRefusalReason } from '../auth/tokens/refusal.ts'
import type { TokenRequest } from './token-request.ts'

/** Why a subject token is not exchanged: for its own administrator only. */
export type ExchangeRefusalReason = TokenRefusalReason | 'subject-token-ends-soon'

/** What an exchange comes to. */
export type ExchangeDecision =
  | { readonly kind: 'granted'; readonly content: TokenContent }
  | { readonly kind: 'refused'; readonly reason: ExchangeRefusalReason }

type Circumstances = {
  /** Who we are. */
  readonly issuer: string
  /** Milliseconds since the epoch. */
  readonly nowMs: number
}

/** A token for less would have ended by the time it is used. */
const minLifetimeSeconds = 5

/**
 * Decide what is issued for a subject token that was verified, or refused, for the pool of the
 * request. What is issued ends with the subject token at the latest, the clock tolerance that it
 * may have been verified with not counted in.
 */
export function decideExchange(
  subject: ExternalIdentity | TokenRefusal,
  request: TokenRequest,
  { issuer, nowMs }: Circumstances,
): ExchangeDecision {
  if (subject.kind === 'refused') return subject
  // An organization could name ourselves as its identity provider: tokens would renew themselves.
  if (subject.issuer === issuer) return { kind: 'refused', reason: 'unknown-issuer' }
  const remainingSeconds = Math.floor((subject.expiresAtMs - nowMs) / 1_000)
  if (remainingSeconds < minLifetimeSeconds)
    return { kind: 'refused', reason: 'subject-token-ends-soon' }
  const content: TokenContent = {
    kind: 'sts',
    subject: request.poolId,
    audience: issuer,
    lifetimeSeconds: Math.min(request.lifetimeSeconds, remainingSeconds),
    claims: {
      organization: subject.organizationId,
      subject: subject.subject,
      subject_issuer: subject.issuer,
    },
  }
  return { kind: 'granted', content }
}
