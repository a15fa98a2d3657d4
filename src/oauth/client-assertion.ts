import { vetKeys } from '../auth/keys/vetted-keys.ts'
import { algorithmNamed } from '../auth/keys/algorithm.ts'
import type { VerificationKey } from '../auth/keys/verification-key.ts'
import { isSubject } from '../auth/tokens/claims.ts'
import { readCompactJws, type UnverifiedToken } from '../auth/tokens/compact-jws.ts'
import { createTokenVerifier, type VerifyToken } from '../auth/tokens/verifier.ts'
import {
  authenticationFlaw,
  type ClientRefusalReason,
  type FindPartnerClient,
  type PartnerClient,
} from './partner-client.ts'

/**
 * Find the client that signed an assertion, or why there is none: it is not in order, its client may
 * not authenticate by it, or it was used before.
 *
 * @param clientId whom it must be of, where the request says so
 */
export type VerifyAssertion = (
  assertion: string,
  clientId: string | undefined,
) => Promise<PartnerClient | ClientRefusalReason>

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

/** Stands for a `kid` that is not there. Whoever writes it out says no more by it. */
const unnamed = '\0'

/** How far the clocks of clients may differ from ours. */
const clockToleranceSeconds = 30

/**
 * Build the verifier of client assertions. The audience is our issuer alone, as a string: an
 * assertion for several servers, or for an address of an endpoint, could be used by one of them here.
 * Clients that have one key do not always name it: without a `kid` it is the only one that fits `alg`.
 *
 * @see RFC 7523 §3, RFC 7523bis (audience), RFC 8725
 */
export function createAssertionVerifier(parts: AssertionParts): VerifyAssertion {
  const { issuer, findPartnerClient, useAssertion, now } = parts
  const verifiers = new WeakMap<PartnerClient, Promise<VerifyToken>>()

  return async (assertion, clientId) => {
    const token = readCompactJws(assertion, { kidIfMissing: unnamed })
    if (token.kind === 'refused') return token.reason
    if (clientId !== undefined && clientId !== token.issuer) return 'other-client'
    const client = await findPartnerClient(token.issuer)
    if (client === undefined) return 'unknown-client'
    const verify = await verifierOf(client)
    const verified = await verify(token)
    if (verified.kind === 'refused') return verified.reason
    const { jti } = verified.claims
    if (verified.subject !== client.id || !isSubject(jti)) return 'claim-invalid'
    const flaw = authenticationFlaw(client, 'private_key_jwt')
    if (flaw !== undefined) return flaw
    // Last of all: who cannot authenticate must not use up anything.
    const isNew = await useAssertion(client.id, jti, verified.expiresAtMs)
    return isNew ? client : 'assertion-replayed'
  }

  /** Vetting a key costs more than a signature, so it is done once for each state of a client. */
  function verifierOf(client: PartnerClient): Promise<VerifyToken> {
    const verifier = verifiers.get(client) ?? makeVerifier(client)
    verifiers.set(client, verifier)
    return verifier
  }

  async function makeVerifier(client: PartnerClient): Promise<VerifyToken> {
    const vetted = await vetKeys(client.jwks)
    const keys = vetted?.keys ?? new Map<string, VerificationKey>()
    const expectations = {
      issuer: client.id,
      algorithms: ['EdDSA', 'ES', 'PS', 'RS'],
      types: [undefined, 'jwt', 'client-authentication+jwt'],
      audience: issuer,
      findKey: (kid: string) => keys.get(kid),
      clockToleranceSeconds,
      maxLifetimeSeconds,
    }
    const verify = createTokenVerifier(expectations, now)
    return (token) => verify(withKid(token, keys))
  }
}

/** Of several keys for one algorithm, none is guessed at. */
function withKid(
  token: UnverifiedToken,
  keys: ReadonlyMap<string, VerificationKey>,
): UnverifiedToken {
  const { header } = token
  if (header.kid !== unnamed) return token
  const algorithm = algorithmNamed(header.alg)
  const [only, ...others] = [...keys.values()].filter((key) => key.algorithm === algorithm)
  if (only === undefined || others.length > 0) return token
  return { ...token, header: { ...header, kid: only.kid } }
}
