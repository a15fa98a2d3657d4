import type { ExchangeDecision, ExchangeRefusalReason } from './exchange.ts'

/** A reason, as an administrator reads it. */
type Advice = {
  /** One sentence that quotes nothing of the token. */
  readonly explanation: string
  /** One sentence or more. */
  readonly whatToDo: string
}

/** What an exchange would come to, and why. */
export type DryRunAnswer =
  | { readonly would_succeed: true; readonly expires_in: number }
  | {
      readonly would_succeed: false
      /** Stable: callers program against it. */
      readonly reason: string
      readonly explanation: string
      readonly what_to_do: string
    }

/** Say to an administrator of the token's organization what an exchange would come to. */
export function dryRunAnswer(decision: ExchangeDecision): DryRunAnswer {
  if (decision.kind === 'granted')
    return { would_succeed: true, expires_in: decision.content.lifetimeSeconds }
  const { explanation, whatToDo } = advice[decision.reason]
  return {
    would_succeed: false,
    reason: decision.reason.replaceAll('-', '_'),
    explanation,
    what_to_do: whatToDo,
  }
}

const sendAsIssued =
  'Send the token exactly as the identity provider issued it: three parts with dots between them, and nothing around them.'
const otherToken = 'Ask the identity provider for an access token that is signed as a JWT.'
const newToken = 'Fetch a new token from the identity provider right before the exchange.'
const clocks = 'Check the clocks of the identity provider and of whatever made the token.'

/** Why each refusal happens and what ends it; the reference lists the same reasons. */
export const advice = {
  'too-long': {
    explanation: 'The token is longer than any that is accepted.',
    whatToDo: 'Have the identity provider put fewer claims into the token, groups above all.',
  },
  'not-a-compact-jws': {
    explanation: 'The token is not a signed JWT.',
    whatToDo: `${sendAsIssued} Opaque, encrypted and unsigned tokens cannot be exchanged.`,
  },
  'not-canonical-base64url': {
    explanation: 'A part of the token is not spelled as Base64url demands.',
    whatToDo: sendAsIssued,
  },
  'header-not-strict-json': {
    explanation: 'The header of the token is not a JSON object with distinct members.',
    whatToDo: sendAsIssued,
  },
  'header-member-refused': {
    explanation: 'The header of the token has a member that is not accepted.',
    whatToDo:
      'Have the identity provider leave out keys, addresses of keys and critical extensions.',
  },
  'header-malformed': {
    explanation: 'A member of the header of the token is not what it is defined to be.',
    whatToDo: sendAsIssued,
  },
  'claims-not-strict-json': {
    explanation: 'The claims of the token are not a JSON object with distinct members.',
    whatToDo: sendAsIssued,
  },
  'issuer-missing': {
    explanation: 'The token does not say who issued it.',
    whatToDo: 'Have the identity provider put its issuer into the claim iss.',
  },
  'unknown-issuer': {
    explanation: 'No enabled identity provider of the organization has the issuer of the token.',
    whatToDo:
      'Compare the claim iss with the issuer of the identity provider to the letter, version paths and final slashes included, and check that the provider is enabled. Tokens of this service itself cannot be exchanged.',
  },
  'too-many-providers': {
    explanation: 'Too many identity providers have the issuer of the token.',
    whatToDo: 'Remove identity providers that repeat the same issuer.',
  },
  'token-type': {
    explanation: 'The token is of a type that is not accepted, such as a logout token.',
    whatToDo: `${otherToken} Its header says JWT or at+jwt, or names no type.`,
  },
  algorithm: {
    explanation: 'The token is signed by an algorithm that the identity provider does not allow.',
    whatToDo:
      'Compare the alg of the token with the algorithms that the identity provider is configured with.',
  },
  'unknown-kid': {
    explanation: 'The key set of the identity provider has no key with the kid of the token.',
    whatToDo:
      'Check that the address of the key set is the one of this issuer. After a rotation, refresh the key set or try again in a minute.',
  },
  'key-of-other-algorithm': {
    explanation: 'The key with the kid of the token is for another algorithm.',
    whatToDo: 'Have the identity provider publish the key with the alg that it signs by.',
  },
  signature: {
    explanation: 'The signature of the token is not by the key that its header names.',
    whatToDo: `${sendAsIssued} Check that the address of the key set is the one of this issuer.`,
  },
  'claim-invalid': {
    explanation: 'One of the claims sub, exp, iat and nbf is missing or malformed.',
    whatToDo:
      'Have the identity provider issue sub as a text of 1 to 255 characters, and exp and iat as whole seconds.',
  },
  audience: {
    explanation: 'The claim aud is neither a text nor a list of texts.',
    whatToDo: 'Have the identity provider issue aud as a text, or as a list of a hundred at most.',
  },
  expired: {
    explanation: 'The token has expired.',
    whatToDo: `${newToken} ${clocks}`,
  },
  'not-yet-valid': {
    explanation: 'The token is not valid yet.',
    whatToDo: clocks,
  },
  lifetime: {
    explanation: 'The time from the claim iat to the claim exp is too long, or negative.',
    whatToDo:
      'Have the identity provider issue tokens for a shorter time: a day at most, unless the gateway is configured otherwise.',
  },
  'pool-header-malformed': {
    explanation: 'The identity pool is not named by one id.',
    whatToDo: 'Send the id of the pool, which begins with pool-, in identity_pool_id.',
  },
  'unknown-pool': {
    explanation:
      'The identity provider of the token has no enabled identity pool with the id of the request.',
    whatToDo:
      'Check the id, that the pool belongs to the identity provider with this issuer, and that the pool is enabled.',
  },
  'no-pool-matches': {
    explanation: 'The filter of the identity pool does not match the claims of the token.',
    whatToDo:
      'Hold the claims of the token against the filter of the pool. Where aud is a list, the filter has to use in instead of ==.',
  },
  'too-many-pools': {
    explanation: 'The token would be held against too many identity pools.',
    whatToDo: 'Remove identity providers that repeat the same issuer.',
  },
  'claims-too-large': {
    explanation: 'The claims of the token are too large to be held against a filter.',
    whatToDo: 'Have the identity provider put fewer claims into the token, groups above all.',
  },
  'ambiguous-organization': {
    explanation: 'The token belongs to identity pools of several organizations.',
    whatToDo: 'Name a pool of one organization in identity_pool_id.',
  },
  'subject-missing': {
    explanation: 'The token lacks the claim that the identity pool takes for the subject.',
    whatToDo:
      'Check the identity claim of the pool. It has to name a text of 1 to 255 characters without control characters.',
  },
  revoked: {
    explanation: 'The token was revoked.',
    whatToDo: newToken,
  },
  'unknown-client': {
    explanation: 'The client that the token was issued to is not known, or is disabled.',
    whatToDo: otherToken,
  },
  'subject-token-ends-soon': {
    explanation: 'The token ends within five seconds, and what is issued for it cannot outlive it.',
    whatToDo: newToken,
  },
} as const satisfies Record<ExchangeRefusalReason, Advice>
