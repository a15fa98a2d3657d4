import type { KeySecret } from '../auth/api-key.ts'
import type { TokenRefusalReason } from '../auth/tokens/refusal.ts'

/** How a client proves who it is (RFC 7591 §2, OpenID Connect Core §9). */
export type ClientAuthMethod = 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt'

/** A partner's client as the token endpoint sees it. */
export type PartnerClient = {
  readonly id: string
  readonly partnerId: string
  readonly state: 'enabled' | 'disabled'
  readonly partnerState: 'enabled' | 'disabled'
  /** All that it may be granted. */
  readonly scopes: readonly string[]
  readonly authMethods: readonly ClientAuthMethod[]
  /** What its assertions are signed with, as registered: not vetted yet. */
  readonly jwks: unknown
  /** At most two; more are not looked at. */
  readonly secrets: readonly KeySecret[]
}

/**
 * Find a client, or undefined where there is none. The same object for as long as nothing changes.
 *
 * @throws {GatewayError} DIRECTORY_UNAVAILABLE, thrown or rejected
 */
export type FindPartnerClient = (
  clientId: string,
) => PartnerClient | undefined | Promise<PartnerClient | undefined>

/** Why nobody is found to have sent a request: for the log only. */
export type ClientRefusalReason =
  | TokenRefusalReason
  | 'no-client'
  | 'wrong-secret'
  | 'client-disabled'
  | 'method-not-registered'
  | 'other-client'
  | 'assertion-replayed'

/** Why a client may not authenticate now, or not in this way; undefined where it may. */
export function authenticationFlaw(
  { state, partnerState, authMethods }: PartnerClient,
  method: ClientAuthMethod,
): ClientRefusalReason | undefined {
  if (state !== 'enabled' || partnerState !== 'enabled') return 'client-disabled'
  return authMethods.includes(method) ? undefined : 'method-not-registered'
}
