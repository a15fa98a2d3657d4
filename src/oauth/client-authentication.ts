import type { KeySecret } from '../auth/api-key.ts'
import { matchSecret, type DigestSecret } from '../auth/secret.ts'
import type { IdAndSecret } from './basic-credentials.ts'
import { createAssertionVerifier, type AssertionParts } from './client-assertion.ts'
import type { FormRequest } from './endpoint.ts'
import {
  authenticationFlaw,
  type ClientAuthMethod,
  type ClientRefusalReason,
  type PartnerClient,
} from './partner-client.ts'
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
    return typeof client === 'string' ? invalidClient(request, client) : { kind: 'client', client }
  }

  async function clientOf(
    presented: PresentedClient,
  ): Promise<PartnerClient | ClientRefusalReason> {
    switch (presented.kind) {
      case 'none':
        return 'no-client'
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
  ): Promise<PartnerClient | ClientRefusalReason> {
    const found: (PartnerClient | ClientRefusalReason)[] = []
    for (const { id, secret } of spellings) {
      const client = await findPartnerClient(id)
      // First of all, whatever the record says: this is what takes time.
      const matched = matchSecret(client?.secrets ?? [], secret, digestSecret)
      found.push(clientOrReason(client, matched, method))
    }
    const reasons = found.filter((each) => typeof each === 'string')
    return (
      found.find((each) => typeof each !== 'string') ??
      // One spelling may be of nobody, while the other tells what is wrong.
      reasons.find((reason) => reason !== 'unknown-client') ??
      reasons[0] ??
      'no-client'
    )
  }

  function clientOrReason(
    client: PartnerClient | undefined,
    matched: KeySecret | undefined,
    method: ClientAuthMethod,
  ): PartnerClient | ClientRefusalReason {
    if (client === undefined) return 'unknown-client'
    if (matched === undefined) return 'wrong-secret'
    if (matched.expiresAtMs !== undefined && matched.expiresAtMs <= now()) return 'expired'
    return authenticationFlaw(client, method) ?? client
  }
}

/**
 * A challenge only where the Authorization field was used: clients that sent none take one for the
 * whole answer, and show nothing of the error.
 *
 * @see RFC 6749 §5.2
 */
function invalidClient({ authorization }: FormRequest, reason: ClientRefusalReason): Refusal {
  const headers = authorization === undefined ? {} : basicChallenge
  const particulars = { status: 401, headers, reason } as const
  return refuse('invalid_client', 'The client authentication failed.', particulars)
}
