import { vetKeys } from '../auth/keys/vetted-keys.ts'
import { isSubject } from '../auth/tokens/claims.ts'
import { readCompactJws } from '../auth/tokens/compact-jws.ts'
import { createTokenVerifier, type VerifyToken } from '../auth/tokens/verifier.ts'
import { mayAuthenticate, type FindPartnerClient, type PartnerClient } from './partner-client.ts'

/**
 * Find the client that signed an assertion: undefined where it is not in order, its client may not
 * authenticate by it, or it was used before.
 *
 * @param clientId whom it must be of, where the request says so
 */
export type VerifyAssertion = (
  assertion: string,
  clientId: string | undefined,
) => Promise<PartnerClient | undefined>

export type AssertionParts = {
  readonly issuer: string
  readonly findPartnerClient: FindPartnerClient
  /**
   * Use up an assertion, and say whether it was not used before. The id has 1 to 255 characters.
   *
   * @throws {GatewayError} DIRECTORY_UNAVAILABLE
   */
  readonly useAssertion: (clientId: string, jti: string, expiresAtMs: number) => Promise<boolean>
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/** The longest that an assertion lives, and so the longest that its id must be remembered. */
const maxLifetimeSeconds = 300

/** How far the clocks of clients may differ from ours. */
const clockToleranceSeconds = 30

/**
 * Build the verifier of client assertions. The audience is our issuer alone, as a string: an
 * assertion for several servers, or for an address of an endpoint, could be used by one of them here.
 *
 * @see RFC 7523 §3, RFC 7523bis (audience), RFC 8725
 */
export function createAssertionVerifier(parts: AssertionParts): VerifyAssertion {
  const { issuer, findPartnerClient, useAssertion, now } = parts
  const verifiers = new WeakMap<PartnerClient, Promise<VerifyToken>>()

  return async (assertion, clientId) => {
    const token = readCompactJws(assertion)
    if (token.kind === 'refused') return undefined
    if (clientId !== undefined && clientId !== token.issuer) return undefined
    const client = await findPartnerClient(token.issuer)
    if (client === undefined) return undefined
    const verify = await verifierOf(client)
    const verified = await verify(token)
    if (verified.kind === 'refused' || verified.subject !== client.id) return undefined
    const { jti } = verified.claims
    if (!isSubject(jti) || !mayAuthenticate(client, 'private_key_jwt')) return undefined
    // Last of all: who cannot authenticate must not use up anything.
    return (await useAssertion(client.id, jti, verified.expiresAtMs)) ? client : undefined
  }

  /** Vetting a key costs more than a signature, so it is done once for each state of a client. */
  function verifierOf(client: PartnerClient): Promise<VerifyToken> {
    const verifier = verifiers.get(client) ?? makeVerifier(client)
    verifiers.set(client, verifier)
    return verifier
  }

  async function makeVerifier(client: PartnerClient): Promise<VerifyToken> {
    const vetted = await vetKeys(client.jwks)
    const expectations = {
      issuer: client.id,
      algorithms: ['EdDSA', 'ES', 'PS', 'RS'],
      types: [undefined, 'jwt', 'client-authentication+jwt'],
      audience: issuer,
      findKey: (kid: string) => vetted?.keys.get(kid),
      clockToleranceSeconds,
      maxLifetimeSeconds,
    }
    return createTokenVerifier(expectations, now)
  }
}
