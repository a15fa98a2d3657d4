/**
 * What `typ` says of our tokens. It keeps the kinds apart, whatever else is alike (RFC 8725 §3.11):
 * an STS token, a partner's access token (RFC 9068 §2.1), and what we say to upstreams.
 */
export const ownTokenTypes = {
  sts: 'sts+jwt',
  partner: 'at+jwt',
  assertion: 'gatehouse-assertion+jwt',
} as const

/** Kinds of token that we issue. */
export type OwnTokenKind = keyof typeof ownTokenTypes

/** The longest that an STS token lives. */
export const maxStsLifetimeSeconds = 900

/** What partners' tokens are for; the `aud` of STS tokens is the issuer itself. */
export function partnerAudience(issuer: string): string {
  return `${issuer}/partner`
}
