import type { IssueToken } from '../auth/own/issue-token.ts'
import { partnerAudience } from '../auth/own/own-token.ts'
import type { AuthenticateClient } from './client-authentication.ts'
import type { Endpoint } from './endpoint.ts'
import type { PartnerClient } from './partner-client.ts'
import { clientParameters } from './presented-client.ts'
import { refuse, type Refusal } from './refusal.ts'

export type GrantParts = {
  readonly issuer: string
  readonly issueToken: IssueToken
  /** How long a partner's token lives. */
  readonly partnerLifetimeSeconds: number
}

/** The one grant type of this endpoint; token exchange has its own. */
export const grantType = 'client_credentials'

/**
 * Grant tokens to partners' clients.
 *
 * @see RFC 6749 §4.4 (client credentials), RFC 9068 §2.2 (the token), RFC 8707 (`resource`)
 */
export function createGrant(authenticate: AuthenticateClient, parts: GrantParts): Endpoint {
  const audience = partnerAudience(parts.issuer)
  const parameters = ['grant_type', 'scope', 'audience', 'resource', ...clientParameters]
  return {
    parameters: new Set(parameters),
    handle: async (request) => {
      const { form } = request
      // Before the client, so that an assertion is not used up by a request that is no use.
      const refusal = grantTypeRefusal(form.get('grant_type'))
      if (refusal !== undefined) return refusal
      const authenticated = await authenticate(request)
      if (authenticated.kind === 'refused') return authenticated
      const targets = [form.get('audience'), form.get('resource')]
      if (targets.some((target) => target !== undefined && target !== audience))
        return refuse('invalid_target', 'Tokens for this audience or resource are not issued here.')
      const scopes = grantedScopes(authenticated.client, form.get('scope'))
      if (scopes === undefined)
        return refuse('invalid_scope', 'The client is not granted the requested scope.')
      return { kind: 'answer', body: await tokenFor(authenticated.client, scopes.join(' ')) }
    },
  }

  async function tokenFor(
    { id, partnerId }: PartnerClient,
    scope: string,
  ): Promise<Readonly<Record<string, unknown>>> {
    const lifetimeSeconds = parts.partnerLifetimeSeconds
    const { token } = await parts.issueToken({
      kind: 'partner',
      subject: id,
      audience,
      lifetimeSeconds,
      claims: { client_id: id, scope, partner: partnerId },
    })
    return { access_token: token, token_type: 'Bearer', expires_in: lifetimeSeconds, scope }
  }
}

function grantTypeRefusal(requested: string | undefined): Refusal | undefined {
  if (requested === undefined) return refuse('invalid_request', 'grant_type is missing.')
  if (requested === grantType) return undefined
  return refuse('unsupported_grant_type', 'The grant type must be client_credentials.')
}

/** All of the request or nothing; without a request, all that the client has (RFC 6749 §3.3). */
function grantedScopes(
  { scopes }: PartnerClient,
  requested: string | undefined,
): readonly string[] | undefined {
  const names = requested === undefined ? scopes : [...new Set(requested.split(' '))]
  return names.length > 0 && names.every((name) => scopes.includes(name)) ? names : undefined
}
