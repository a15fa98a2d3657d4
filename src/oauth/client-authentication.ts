import { matchSecret, type DigestSecret } from '../auth/secret.ts'
import type { IdAndSecret } from './basic-credentials.ts'
import { createAssertionVerifier, type AssertionParts } from './client-assertion.ts'
import type { FormRequest } from './endpoint.ts'
import { mayAuthenticate, type ClientAuthMethod, type PartnerClient } from './partner-client.ts'
import { readPresentedClient, type PresentedClient } from './presented-client.ts'
import { basicChallenge, refuse, type Refusal } from './refusal.ts'

/**
 * Find out which client sends a request. Unknown, disabled, of a disabled partner, with a wrong
 * secret or in a way that it is not registered for: the refusal is the same.
 *
 * @throws {GatewayError} DIRECTORY_UNAVAILABLE
 */
export type AuthenticateClient = (
  request: FormRequest,
) => Promise<{ readonly kind: 'client'; readonly client: PartnerClient } | Refusal>

export type ClientAuthenticationParts = AssertionParts & { readonly digestSecret: DigestSecret }

/** Build the authentication of partners' clients. */
export function createClientAuthentication(parts: ClientAuthenticationParts): AuthenticateClient {
  const { findPartnerClient, digestSecret, now } = parts
  const verifyAssertion = createAssertionVerifier(parts)

  return async (request) => {
    const presented = readPresentedClient(request)
    if (presented.kind === 'refused') return presented
    const client = await clientOf(presented)
    return client === undefined ? invalidClient(request) : { kind: 'client', client }
  }

  async function clientOf(presented: PresentedClient): Promise<PartnerClient | undefined> {
    switch (presented.kind) {
      case 'none':
        return undefined
      case 'secret':
        return clientWithSecret(presented.spellings, presented.method)
      case 'assertion':
        return verifyAssertion(presented.assertion, presented.clientId)
    }
  }

  /** No spelling is left out once one fits: the time would tell which did. */
  async function clientWithSecret(
    spellings: readonly IdAndSecret[],
    method: ClientAuthMethod,
  ): Promise<PartnerClient | undefined> {
    const found: PartnerClient[] = []
    for (const { id, secret } of spellings) {
      const client = await findPartnerClient(id)
      // First of all, whatever the record says: this is what takes time.
      const matched = matchSecret(client?.secrets ?? [], secret, digestSecret)
      if (client === undefined || matched === undefined) continue
      if (matched.expiresAtMs !== undefined && matched.expiresAtMs <= now()) continue
      if (mayAuthenticate(client, method)) found.push(client)
    }
    return found[0]
  }
}

/**
 * A challenge only where the Authorization field was used: clients that sent none take one for the
 * whole answer, and show nothing of the error.
 *
 * @see RFC 6749 §5.2
 */
function invalidClient({ authorization }: FormRequest): Refusal {
  const headers = authorization === undefined ? {} : basicChallenge
  return refuse('invalid_client', 'The client authentication failed.', { status: 401, headers })
}
