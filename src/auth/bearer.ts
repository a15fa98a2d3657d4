import type { VerifyExternalToken } from './external-token.ts'
import type { VerifyOwnToken } from './own/verify-own-token.ts'
import type { CredentialKind, SecurityPolicy } from './policy.ts'
import type { Principal } from './principal.ts'
import { readCompactJws } from './tokens/compact-jws.ts'
import { refused, type TokenRefusal } from './tokens/refusal.ts'

/** A token that was verified, and whom it stands for. */
export type VerifiedBearer = {
  readonly kind: 'bearer'
  readonly principal: Principal
  readonly credential: { readonly kind: CredentialKind; readonly id: string }
  /** What it may be used for; empty for tokens without scopes. */
  readonly scopes: readonly string[]
}

type Answer = VerifiedBearer | TokenRefusal

/**
 * Verify a bearer token as one of the kinds that an operation accepts: ours by its issuer, anybody
 * else's by its provider. A kind that the operation does not accept is not looked at, so a token
 * for it costs no signature.
 *
 * @throws {GatewayError} DIRECTORY_UNAVAILABLE, thrown or rejected
 */
export type VerifyBearer = (
  token: string,
  policy: SecurityPolicy,
  poolHeader: string | undefined,
) => Answer | Promise<Answer>

type Parts = {
  /** The `iss` of our own tokens. */
  readonly issuer: string
  readonly verifyOwnToken: VerifyOwnToken
  readonly verifyExternalToken: VerifyExternalToken
}

/** Build the verifier of bearer tokens. */
export function createVerifyBearer(parts: Parts): VerifyBearer {
  const { issuer, verifyOwnToken, verifyExternalToken } = parts
  return (token, policy, poolHeader) => {
    switch (acceptanceOf(policy)) {
      case 'none':
        return refused('token-type')
      case 'own':
        return own(token)
      case 'external':
        return external(token, poolHeader)
      case 'both': {
        const read = readCompactJws(token)
        if (read.kind === 'refused') return read
        return read.issuer === issuer ? own(token) : external(token, poolHeader)
      }
    }
  }

  function own(token: string): Answer | Promise<Answer> {
    const answer = verifyOwnToken(token)
    return answer instanceof Promise ? answer.then(ownBearer) : ownBearer(answer)
  }

  function external(token: string, poolHeader: string | undefined): Answer | Promise<Answer> {
    const answer = verifyExternalToken(token, { poolHeader, organizationId: undefined })
    return answer instanceof Promise ? answer.then(externalBearer) : externalBearer(answer)
  }
}

/** Which kinds of token an operation accepts. */
type Acceptance = 'none' | 'own' | 'external' | 'both'

function acceptanceOf(policy: SecurityPolicy): Acceptance {
  const own = names(policy, 'sts-access-token') || names(policy, 'partner-access-token')
  if (!names(policy, 'external-access-token')) return own ? 'own' : 'none'
  return own ? 'both' : 'external'
}

function names(policy: SecurityPolicy, kind: CredentialKind): boolean {
  return policy.some((alternative) => alternative.some((member) => member.kind === kind))
}

function ownBearer(identity: Awaited<ReturnType<VerifyOwnToken>>): Answer {
  switch (identity.kind) {
    case 'refused':
      return identity
    case 'sts-identity': {
      const { poolId, organizationId, subject, tokenId } = identity
      return {
        kind: 'bearer',
        principal: {
          kind: 'identity-pool',
          id: poolId,
          organizationId,
          pools: { ids: [poolId], subject },
        },
        credential: { kind: 'sts-access-token', id: tokenId },
        scopes: [],
      }
    }
    case 'partner-identity': {
      const { partnerId, clientId, tokenId, scopes } = identity
      return {
        kind: 'bearer',
        principal: { kind: 'partner', id: partnerId, clientId },
        credential: { kind: 'partner-access-token', id: tokenId },
        scopes,
      }
    }
  }
}

function externalBearer(identity: Awaited<ReturnType<VerifyExternalToken>>): Answer {
  if (identity.kind === 'refused') return identity
  const { organizationId, poolIds, subject } = identity
  const [firstPool] = poolIds
  if (firstPool === undefined) return refused('no-pool-matches')
  return {
    kind: 'bearer',
    principal: {
      kind: 'identity-pool',
      id: firstPool,
      organizationId,
      pools: { ids: poolIds, subject },
    },
    // Its text is a secret and its `jti`, where it has one, the provider's: the pool tells most.
    credential: { kind: 'external-access-token', id: firstPool },
    scopes: [],
  }
}
