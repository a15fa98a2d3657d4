import { maxStsLifetimeSeconds } from '../auth/own/own-token.ts'
import type { FieldName, Fields } from './form.ts'
import { problem, type Problem } from './problem.ts'

/** A token exchange as it was asked for. */
export type TokenRequest = {
  readonly kind: 'token-request'
  /** Not verified, nor even looked at. */
  readonly subjectToken: string
  /** One pool's id, or what could be one. */
  readonly poolId: string
  /** 1 to 900. */
  readonly lifetimeSeconds: number
}

const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange'
const jwt = 'urn:ietf:params:oauth:token-type:jwt'

/** The only type of token that is issued. */
export const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'

/**
 * Read what is asked for from the fields that were sent.
 *
 * @param issuer who we are: the only audience for which tokens are issued
 * @see RFC 8693 §2.1
 */
export function readTokenRequest(fields: Fields, issuer: string): TokenRequest | Problem {
  const refusal =
    grantProblem(fields) ??
    targetProblem(fields, issuer) ??
    scopeProblem(fields) ??
    typeProblem(fields)
  if (refusal !== undefined) return refusal
  const subjectToken = fields.get('subject_token')
  if (subjectToken === undefined) return missing('subject_token')
  const poolId = fields.get('identity_pool_id')
  if (poolId === undefined) return missing('identity_pool_id')
  if (!/^[\w-]{1,64}$/.test(poolId))
    return problem('invalid_request', 'The field identity_pool_id is not the id of one pool.')
  const lifetimeSeconds = readLifetime(fields.get('expires_in'))
  if (typeof lifetimeSeconds !== 'number') return lifetimeSeconds
  return { kind: 'token-request', subjectToken, poolId, lifetimeSeconds }
}

function grantProblem(fields: Fields): Problem | undefined {
  const grantType = urn(fields, 'grant_type')
  if (grantType === undefined) return missing('grant_type')
  if (grantType === tokenExchange) return undefined
  return problem('unsupported_grant_type', `The only grant type here is ${tokenExchange}.`)
}

/** Whoever asks for a token for others would take ours for one that it is not (RFC 8693 §2.2.2). */
function targetProblem(fields: Fields, issuer: string): Problem | undefined {
  for (const name of ['audience', 'resource'] as const) {
    if ((fields.get(name) ?? issuer) !== issuer)
      return problem(
        'invalid_target',
        `Tokens are issued for this service alone: leave ${name} out.`,
      )
  }
  return undefined
}

/** To ignore these would give a token that may do more, or stands for someone else, than was asked. */
function scopeProblem(fields: Fields): Problem | undefined {
  if (fields.get('scope') !== undefined)
    return problem('invalid_scope', 'Tokens have no scope here: leave scope out.')
  if (fields.get('actor_token') !== undefined)
    return problem('invalid_request', 'Nobody can act for another here: leave actor_token out.')
  return undefined
}

function typeProblem(fields: Fields): Problem | undefined {
  const subjectType = urn(fields, 'subject_token_type')
  if (subjectType === undefined) return missing('subject_token_type')
  // Documented is the JWT alone. Callers in the wild name it an access token, which it is as well.
  if (subjectType !== jwt && subjectType !== accessTokenType)
    return problem('invalid_request', `The field subject_token_type is not ${jwt}.`)
  const requestedType = urn(fields, 'requested_token_type') ?? accessTokenType
  if (requestedType !== accessTokenType)
    return problem('invalid_request', `The field requested_token_type is not ${accessTokenType}.`)
  return undefined
}

function readLifetime(text: string | undefined): number | Problem {
  if (text === undefined) return maxStsLifetimeSeconds
  const seconds = /^\d+$/.test(text) ? Number(text) : 0
  if (seconds > maxStsLifetimeSeconds)
    return problem(
      'invalid_request',
      `The field expires_in is more than ${maxStsLifetimeSeconds} seconds, the longest that a token lives.`,
    )
  return seconds >= 1
    ? seconds
    : problem('invalid_request', 'The field expires_in is not a whole number from 1 to 900.')
}

/** Published code samples encode their URNs twice; what one decoding leaves is decoded again. */
function urn(fields: Fields, name: FieldName): string | undefined {
  const value = fields.get(name)
  return value?.startsWith('urn%') === true ? value.replaceAll(/%3a/gi, ':') : value
}

function missing(name: FieldName): Problem {
  return problem('invalid_request', `The field ${name} is missing.`)
}
