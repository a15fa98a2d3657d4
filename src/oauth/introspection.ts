import { hash, timingSafeEqual } from 'node:crypto'
import { partnerAudience } from '../auth/own/own-token.ts'
import type { OwnIdentity, VerifyOwnToken } from '../auth/own/verify-own-token.ts'
import { readBasicCredentials, type IdAndSecret } from './basic-credentials.ts'
import type { Endpoint } from './endpoint.ts'
import { basicChallenge, refuse, type Refusal } from './refusal.ts'

export type IntrospectionParts = {
  readonly issuer: string
  readonly verifyOwnToken: VerifyOwnToken
  /** Our own upstreams that may ask what a token stands for. */
  readonly introspectors: readonly IdAndSecret[]
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

type Claims = Readonly<Record<string, unknown>>

/**
 * Tell our upstreams what a token of ours stands for; of any other token, that it is not active.
 *
 * @see RFC 7662 §2
 */
export function createIntrospection(parts: IntrospectionParts): Endpoint {
  const { issuer, verifyOwnToken, now } = parts
  const isIntrospector = createIntrospectorCheck(parts.introspectors)
  return {
    parameters: new Set(['token', 'token_type_hint']),
    handle: async ({ form, authorization }) => {
      const refusal = callerRefusal(authorization, isIntrospector)
      if (refusal !== undefined) return refusal
      const token = form.get('token')
      if (token === undefined) return refuse('invalid_request', 'token is missing.')
      const identity = await verifyOwnToken(token)
      // The verifier allows for clocks that differ; who reads `exp` here may not.
      const isActive = identity.kind !== 'refused' && identity.expiresAtMs > now()
      return { kind: 'answer', body: isActive ? claimsOf(identity, issuer) : { active: false } }
    },
  }
}

function callerRefusal(
  authorization: string | undefined,
  isIntrospector: (spellings: readonly IdAndSecret[]) => boolean,
): Refusal | undefined {
  const basic =
    authorization === undefined
      ? ({ kind: 'basic', spellings: [] } as const)
      : readBasicCredentials(authorization)
  if (basic.kind === 'refused') return basic
  if (isIntrospector(basic.spellings)) return undefined
  const particulars = { status: 401, headers: basicChallenge } as const
  return refuse('invalid_client', 'The caller may not introspect tokens.', particulars)
}

/** Digests have one length, so that comparing them takes as long whatever they are of. */
function createIntrospectorCheck(
  introspectors: readonly IdAndSecret[],
): (spellings: readonly IdAndSecret[]) => boolean {
  const known = introspectors.map(digest)
  return (spellings) => {
    const presented = spellings.map(digest)
    const equal = known.flatMap((one) => presented.map((other) => timingSafeEqual(one, other)))
    return equal.includes(true)
  }
}

function digest({ id, secret }: IdAndSecret): Buffer {
  return hash('sha256', JSON.stringify([id, secret]), 'buffer')
}

/** No `username`: no token of ours is of a human. */
function claimsOf(identity: OwnIdentity, issuer: string): Claims {
  return {
    active: true,
    token_type: 'Bearer',
    iss: issuer,
    ...claimsOfKind(identity, issuer),
    jti: identity.tokenId,
    iat: identity.issuedAtMs / 1000,
    exp: identity.expiresAtMs / 1000,
  }
}

function claimsOfKind(identity: OwnIdentity, issuer: string): Claims {
  switch (identity.kind) {
    case 'sts-identity': {
      const { poolId, organizationId, subject } = identity
      return { aud: issuer, sub: poolId, organization: organizationId, subject }
    }
    case 'partner-identity': {
      const { clientId, partnerId, scopes } = identity
      const aud = partnerAudience(issuer)
      return {
        aud,
        sub: clientId,
        client_id: clientId,
        scope: scopes.join(' '),
        partner: partnerId,
      }
    }
  }
}
