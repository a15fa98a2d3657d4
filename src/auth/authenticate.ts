import { GatewayError } from '../errors/gateway-error.ts'
import {
  isSameResource,
  kindOfKey,
  type ApiKeyRecord,
  type FindApiKey,
  type FindNoApiKey,
  type KeySecret,
  type OperationResource,
} from './api-key.ts'
import { parseAuthorization } from './authorization-field.ts'
import type { VerifiedBearer, VerifyBearer } from './bearer.ts'
import { challenge, insufficientScope } from './challenge.ts'
import type { CredentialKind, Requirement, SecurityPolicy } from './policy.ts'
import type { Principal } from './principal.ts'
import { matchSecret, type DigestSecret } from './secret.ts'
import type { TokenRefusal, TokenRefusalReason } from './tokens/refusal.ts'
import { createVerifiedSecrets, type VerifiedSecret } from './verified-secrets.ts'

/** Who is asking, and by which credential. */
export type Authentication =
  | { readonly kind: 'anonymous' }
  | {
      readonly kind: 'authenticated'
      readonly principal: Principal
      readonly credential: { readonly kind: CredentialKind; readonly id: string }
    }

/** Why a credential was refused: for the log only, as the message of the error's `cause`. */
export type RefusalReason =
  | 'unsupported-scheme'
  | 'unknown-key'
  | 'wrong-secret'
  | 'revoked'
  | 'expired'
  | 'wrong-kind'
  | 'wrong-resource'

/**
 * Decide who presents an Authorization field at an operation. The answer is a promise only where
 * something had to be looked up, or a token to be verified.
 *
 * @param authorization the raw field value, or undefined where the field is absent
 * @param resource what the operation acts on, where its group tells that
 * @param poolHeader the raw field that names identity pools, or undefined where it is absent
 * @throws {GatewayError} AUTHENTICATION_REQUIRED, CREDENTIAL_REJECTED, CREDENTIAL_MALFORMED,
 *   ACCESS_DENIED where a token lacks a scope, DIRECTORY_UNAVAILABLE
 */
export type Authenticate = (
  authorization: string | undefined,
  policy: SecurityPolicy,
  resource: OperationResource | undefined,
  poolHeader?: string,
) => Authentication | Promise<Authentication>

type Parts = {
  readonly findApiKey: FindApiKey
  readonly findNoApiKey: FindNoApiKey
  readonly verifyBearer: VerifyBearer
  readonly digestSecret: DigestSecret
  /** Told about every key that opened an operation; on the hot path. */
  readonly noteKeyUse: (keyId: string) => void
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Protection space that challenges name (RFC 9110 §11.5). */
  readonly realm: string
}

/** Build the authenticator of a process. */
export function createAuthenticator(parts: Parts): Authenticate {
  const { findApiKey, findNoApiKey, verifyBearer, digestSecret, noteKeyUse, now, realm } = parts
  const verified = createVerifiedSecrets()
  return (authorization, policy, resource, poolHeader) => {
    if (policy.length > 0 && policy.every(isAnonymous)) return anonymous
    const known = authorization?.startsWith('Basic ') ? verified.find(authorization) : undefined
    if (known !== undefined && isStillGood(known, policy, resource)) return accept(known.record)
    const presented = parseAuthorization(authorization)
    switch (presented.kind) {
      case 'none':
        if (policy.some(isAnonymous)) return anonymous
        throw unauthorized('AUTHENTICATION_REQUIRED', policy, undefined)
      case 'basic': {
        const verify = (record: ApiKeyRecord | undefined, wasAtHand: boolean) => {
          const secret = matchSecret((record ?? nobodysKey).secrets, presented.secret, digestSecret)
          const accepted = judge(record, secret, policy, resource, wasAtHand)
          if (accepted instanceof Promise) return accepted
          if (record !== undefined && secret !== undefined && authorization !== undefined)
            verified.remember(authorization, { record, secret })
          return accepted
        }
        const found = findApiKey(presented.id)
        return found instanceof Promise
          ? found.then((record) => verify(record, false))
          : verify(found, true)
      }
      case 'bearer': {
        const answer = verifyBearer(presented.token, policy, poolHeader)
        return answer instanceof Promise
          ? answer.then((later) => bearer(later, policy))
          : bearer(answer, policy)
      }
      case 'other':
        throw unauthorized('CREDENTIAL_REJECTED', policy, 'unsupported-scheme')
    }
  }

  /** A record that was changed or revoked is another object. Who would be refused goes the long way. */
  function isStillGood(
    { record, secret }: VerifiedSecret,
    policy: SecurityPolicy,
    resource: OperationResource | undefined,
  ): boolean {
    if (findApiKey(record.id) !== record) return false
    return refusalOf(record, secret, policy, resource, now()) === undefined
  }

  /** @param secret which of the record's was presented */
  function judge(
    record: ApiKeyRecord | undefined,
    secret: KeySecret | undefined,
    policy: SecurityPolicy,
    resource: OperationResource | undefined,
    wasAtHand: boolean,
  ): Authentication | Promise<never> {
    const refusal = refusalOf(record ?? nobodysKey, secret, policy, resource, now())
    if (record === undefined) throw unauthorized('CREDENTIAL_REJECTED', policy, 'unknown-key')
    if (refusal === undefined) return accept(record)
    const error = unauthorized('CREDENTIAL_REJECTED', policy, refusal)
    return refuseAsUnknown(record.id, error, wasAtHand)
  }

  function accept({ id, owner, resource }: ApiKeyRecord): Authentication {
    noteKeyUse(id)
    return {
      kind: 'authenticated',
      principal: owner,
      credential: { kind: kindOfKey(resource), id },
    }
  }

  /**
   * That nobody has an id is found out by a look-up, and known for a moment. A key that is at hand
   * would be refused sooner, and so tell that it exists: its refusal waits for a look-up as well.
   * One that was looked up has waited; its next refusals are to be at hand as an unknown id's are.
   */
  function refuseAsUnknown(keyId: string, error: GatewayError, wasAtHand: boolean): Promise<never> {
    const nothing = findNoApiKey(keyId)
    if (!wasAtHand || nothing === undefined) throw error
    return nothing.then(() => {
      throw error
    })
  }

  function bearer(answer: VerifiedBearer | TokenRefusal, policy: SecurityPolicy): Authentication {
    if (answer.kind === 'refused') throw unauthorized('CREDENTIAL_REJECTED', policy, answer.reason)
    const { principal, credential, scopes } = answer
    const ofKind = policy.filter((alternative) => isOfKind(alternative, credential.kind))
    if (ofKind.length === 0) throw unauthorized('CREDENTIAL_REJECTED', policy, 'wrong-kind')
    if (!ofKind.some((alternative) => scopesOf(alternative).every((one) => scopes.includes(one))))
      throw new GatewayError('ACCESS_DENIED', {
        details: 'The token lacks a scope that this operation requires.',
        headers: { 'WWW-Authenticate': insufficientScope(ofKind.flatMap(scopesOf), realm) },
      })
    return { kind: 'authenticated', principal, credential }
  }

  function unauthorized(
    code: 'AUTHENTICATION_REQUIRED' | 'CREDENTIAL_REJECTED',
    policy: SecurityPolicy,
    reason: RefusalReason | TokenRefusalReason | undefined,
  ): GatewayError {
    return new GatewayError(code, {
      headers: { 'WWW-Authenticate': challenge(policy, realm) },
      ...(reason === undefined ? {} : { cause: new Error(reason) }),
    })
  }
}

const anonymous: Authentication = { kind: 'anonymous' }

/** Is questioned in the place of a key that does not exist. */
const nobodysKey: ApiKeyRecord = {
  id: '',
  secrets: [],
  resource: { kind: 'cloud' },
  owner: { kind: 'user', id: '', organizationId: '' },
  state: 'active',
  expiresAtMs: undefined,
}

function isAnonymous(alternative: readonly Requirement[]): boolean {
  return alternative.length === 0
}

function isOfKind(alternative: readonly Requirement[], kind: CredentialKind): boolean {
  return alternative.length > 0 && alternative.every((member) => member.kind === kind)
}

function scopesOf(alternative: readonly Requirement[]): readonly string[] {
  return alternative.flatMap(({ scopes }) => scopes)
}

/**
 * Every question is put to every credential, known or not: who fails the first would be told sooner,
 * and so told which it was.
 */
function refusalOf(
  record: ApiKeyRecord,
  secret: KeySecret | undefined,
  policy: SecurityPolicy,
  resource: OperationResource | undefined,
  nowMs: number,
): RefusalReason | undefined {
  const bySecret = secretRefusal(secret, nowMs)
  const byState = stateRefusal(record, nowMs)
  const byPolicy = policyRefusal(record, policy, resource)
  return bySecret ?? byState ?? byPolicy
}

function secretRefusal(matched: KeySecret | undefined, nowMs: number): RefusalReason | undefined {
  if (matched === undefined) return 'wrong-secret'
  return isExpired(matched, nowMs) ? 'expired' : undefined
}

function stateRefusal(record: ApiKeyRecord, nowMs: number): RefusalReason | undefined {
  if (record.state === 'revoked') return 'revoked'
  return isExpired(record, nowMs) ? 'expired' : undefined
}

function isExpired(holder: { readonly expiresAtMs: number | undefined }, nowMs: number): boolean {
  return holder.expiresAtMs !== undefined && holder.expiresAtMs <= nowMs
}

/** Alternatives are OR, members are AND: one of the alternatives must be satisfied whole. */
function policyRefusal(
  record: ApiKeyRecord,
  policy: SecurityPolicy,
  resource: OperationResource | undefined,
): RefusalReason | undefined {
  const kind = kindOfKey(record.resource)
  // Keys carry no scopes, so a requirement that names one is not met by a key.
  const accepts = (alternative: readonly Requirement[]): boolean =>
    alternative.length > 0 &&
    alternative.every((member) => member.kind === kind && member.scopes.length === 0)
  if (!policy.some(accepts)) return 'wrong-kind'
  if (kind === 'resource-api-key' && !isSameResource(record.resource, resource))
    return 'wrong-resource'
  return undefined
}
