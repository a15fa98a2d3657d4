import type { VerifyOwnToken } from '../auth/own/verify-own-token.ts'
import type { AuthenticateClient } from './client-authentication.ts'
import type { Endpoint } from './endpoint.ts'
import { clientParameters } from './presented-client.ts'
import { refuse } from './refusal.ts'

export type RevocationParts = {
  readonly verifyOwnToken: VerifyOwnToken
  /**
   * Refuse a token everywhere from now on.
   *
   * @param expiresAtMs when it expires, in milliseconds since the epoch
   * @throws {GatewayError} DIRECTORY_UNAVAILABLE
   */
  readonly revokeToken: (
    tokenId: string,
    expiresAtMs: number,
    actor: { readonly id: string; readonly requestId: string },
  ) => Promise<void>
}

/**
 * Let clients revoke their own tokens. A token that opens nothing is as good as revoked; one that
 * opens something, but was given to somebody else, stays.
 *
 * @see RFC 7009 §2
 */
export function createRevocation(
  authenticate: AuthenticateClient,
  { verifyOwnToken, revokeToken }: RevocationParts,
): Endpoint {
  return {
    // The hint is none: a token of ours says itself what it is.
    parameters: new Set(['token', 'token_type_hint', ...clientParameters]),
    handle: async (request) => {
      const token = request.form.get('token')
      if (token === undefined) return refuse('invalid_request', 'token is missing.')
      const authenticated = await authenticate(request)
      if (authenticated.kind === 'refused') return authenticated
      const identity = await verifyOwnToken(token)
      if (identity.kind === 'refused') return { kind: 'done' }
      const { id } = authenticated.client
      if (identity.kind !== 'partner-identity' || identity.clientId !== id)
        return refuse('invalid_grant', 'The token was issued to another client.')
      const actor = { id, requestId: request.requestId }
      await revokeToken(identity.tokenId, identity.expiresAtMs, actor)
      return { kind: 'done' }
    },
  }
}
