import { webcrypto } from 'node:crypto'
import type { VerificationKey } from '../keys/verification-key.ts'
import { isSubject } from '../tokens/claims.ts'
import { readCompactJws, type UnverifiedToken } from '../tokens/compact-jws.ts'
import { refused, type TokenRefusal } from '../tokens/refusal.ts'
import { createVerifiedTokens, digestToken } from '../tokens/verified-tokens.ts'
import { createTokenVerifier, type VerifiedToken, type VerifyToken } from '../tokens/verifier.ts'
import { maxStsLifetimeSeconds, ownTokenTypes, partnerAudience } from './own-token.ts'
import { acceptedKeys, type OwnVerificationKey, type ReadOwnKeys } from './signing-keys.ts'

/** Whom one of our tokens stands for, once everything that it rests on still holds. */
export type OwnIdentity = StsIdentity | PartnerIdentity

/** An external identity that was exchanged for a token of ours. */
export type StsIdentity = {
  readonly kind: 'sts-identity'
  readonly tokenId: string
  readonly organizationId: string
  readonly poolId: string
  /** Who it is for the identity provider. */
  readonly subject: string
  /** Milliseconds since the epoch, as in all that follows. */
  readonly issuedAtMs: number
  readonly expiresAtMs: number
}

/** A partner's client, and what it may do. */
export type PartnerIdentity = {
  readonly kind: 'partner-identity'
  readonly tokenId: string
  readonly partnerId: string
  readonly clientId: string
  /** Of those that the token names, the ones that the client is still granted. */
  readonly scopes: readonly string[]
  readonly issuedAtMs: number
  readonly expiresAtMs: number
}

/** What of an identity pool decides whether its tokens still count. */
export type PoolStanding = {
  readonly pool: { readonly id: string; readonly state: 'enabled' | 'disabled' }
  readonly provider: {
    readonly organizationId: string
    readonly state: 'enabled' | 'disabled'
  }
}

/** What of a partner's client decides whether its tokens still count. */
export type ClientStanding = {
  readonly id: string
  readonly partnerId: string
  readonly state: 'enabled' | 'disabled'
  readonly partnerState: 'enabled' | 'disabled'
  readonly scopes: readonly string[]
}

type Found<Value> = Value | undefined | Promise<Value | undefined>

type Parts = {
  readonly issuer: string
  readonly ownKeys: ReadOwnKeys
  readonly findPool: (poolId: string) => Found<PoolStanding>
  readonly findPartnerClient: (clientId: string) => Found<ClientStanding>
  /** @throws {GatewayError} DIRECTORY_UNAVAILABLE where it cannot be told */
  readonly isTokenRevoked: (tokenId: string) => boolean
  /** The longest that a partner's token lives. */
  readonly partnerLifetimeSeconds: number
  readonly now: () => number
}

type Answer = OwnIdentity | TokenRefusal

/**
 * Verify a token of ours, STS or partner's, and that what it rests on still stands: its pool or
 * client, and that nobody revoked it. The answer is no promise where the token was seen within the
 * last minute and the records are at hand.
 *
 * @throws {GatewayError} DIRECTORY_UNAVAILABLE, thrown or rejected
 */
export type VerifyOwnToken = (token: string) => Answer | Promise<Answer>

/** How far the clocks of our own processes may differ. */
const clockToleranceSeconds = 10

/** Build the verifier of our own tokens. */
export function createOwnTokenVerifier(parts: Parts): VerifyOwnToken {
  const { issuer, now, partnerLifetimeSeconds } = parts
  const verified = createVerifiedTokens<VerifiedToken>({ now })
  const common = {
    issuer,
    algorithms: ['EdDSA', 'ES256'],
    findKey: createFindOwnKey(parts),
    clockToleranceSeconds,
  }
  const verifiers: Readonly<Record<string, VerifyToken>> = {
    [ownTokenTypes.sts]: createTokenVerifier(
      {
        ...common,
        types: [ownTokenTypes.sts],
        audience: issuer,
        maxLifetimeSeconds: maxStsLifetimeSeconds,
      },
      now,
    ),
    [ownTokenTypes.partner]: createTokenVerifier(
      {
        ...common,
        types: [ownTokenTypes.partner],
        audience: partnerAudience(issuer),
        maxLifetimeSeconds: partnerLifetimeSeconds,
      },
      now,
    ),
  }

  return (text) => {
    const digest = digestToken(text, issuer)
    const known = verified.find(digest)
    if (known !== undefined) return standing(known)
    const token = readCompactJws(text)
    if (token.kind === 'refused') return token
    return verify(token).then((answer) => {
      if (answer.kind === 'refused') return answer
      const bytes = 4 * text.length
      verified.remember(digest, answer, { expiresAtMs: answer.expiresAtMs, bytes })
      return standing(answer)
    })
  }

  async function verify(token: UnverifiedToken): Promise<VerifiedToken | TokenRefusal> {
    const { typ = '' } = token.header
    const verifyToken = Object.hasOwn(verifiers, typ) ? verifiers[typ] : undefined
    return verifyToken === undefined ? refused('token-type') : verifyToken(token)
  }

  function standing(token: VerifiedToken): Answer | Promise<Answer> {
    const tokenId = token.claims['jti']
    if (!isSubject(tokenId)) return refused('claim-invalid')
    if (parts.isTokenRevoked(tokenId)) return refused('revoked')
    if (token.typ === ownTokenTypes.sts) {
      return whenFound(parts.findPool(token.subject), (found) => stsIdentity(token, tokenId, found))
    }
    return whenFound(parts.findPartnerClient(token.subject), (found) =>
      partnerIdentity(token, tokenId, found),
    )
  }
}

function whenFound<Value>(
  found: Found<Value>,
  answer: (value: Value | undefined) => Answer,
): Answer | Promise<Answer> {
  return found instanceof Promise ? found.then(answer) : answer(found)
}

function stsIdentity(
  token: VerifiedToken,
  tokenId: string,
  found: PoolStanding | undefined,
): Answer {
  if (found === undefined) return refused('unknown-pool')
  const { pool, provider } = found
  if (pool.state !== 'enabled' || provider.state !== 'enabled') return refused('unknown-pool')
  // A pool's id is never given to another organization, so a token that says so is none of ours.
  if (token.claims['organization'] !== provider.organizationId) return refused('claim-invalid')
  const subject = token.claims['subject']
  if (!isSubject(subject)) return refused('subject-missing')
  return {
    kind: 'sts-identity',
    tokenId,
    organizationId: provider.organizationId,
    poolId: pool.id,
    subject,
    ...times(token),
  }
}

function partnerIdentity(
  token: VerifiedToken,
  tokenId: string,
  client: ClientStanding | undefined,
): Answer {
  if (client?.state !== 'enabled' || client.partnerState !== 'enabled')
    return refused('unknown-client')
  const scope = token.claims['scope']
  const named = typeof scope === 'string' ? scope.split(' ') : []
  return {
    kind: 'partner-identity',
    tokenId,
    partnerId: client.partnerId,
    clientId: client.id,
    scopes: named.filter((name) => client.scopes.includes(name)),
    ...times(token),
  }
}

function times({ claims, expiresAtMs }: VerifiedToken): {
  issuedAtMs: number
  expiresAtMs: number
} {
  return { issuedAtMs: Number(claims['iat']) * 1000, expiresAtMs }
}

/** jose wants WebCrypto's keys; each is imported once. */
function createFindOwnKey({ ownKeys, now }: Pick<Parts, 'ownKeys' | 'now'>) {
  const imported = new WeakMap<OwnVerificationKey, Promise<VerificationKey>>()
  return (kid: string): Promise<VerificationKey> | undefined => {
    const found = acceptedKeys(ownKeys(), now()).find((key) => key.kid === kid)
    if (found === undefined) return undefined
    const before = imported.get(found)
    if (before !== undefined) return before
    const key = importKey(found)
    imported.set(found, key)
    return key
  }
}

async function importKey({
  kid,
  algorithm,
  publicJwk,
}: OwnVerificationKey): Promise<VerificationKey> {
  const kind = algorithm === 'EdDSA' ? { name: 'Ed25519' } : { name: 'ECDSA', namedCurve: 'P-256' }
  const key = await webcrypto.subtle.importKey('jwk', publicJwk, kind, false, ['verify'])
  return { kid, algorithm, key }
}
