import type { SecurityPolicy } from './policy.ts'

/**
 * The value of `WWW-Authenticate` for an operation: one challenge for each HTTP scheme that its
 * policy accepts. It depends on nothing else, so it tells nothing about the credential.
 *
 * @see RFC 9110 §11.6.1, RFC 7617 §2, RFC 6750 §3
 */
export function challenge(policy: SecurityPolicy, realm: string): string {
  const kinds = policy.flat().map(({ kind }) => kind)
  const bearer = kinds.some((kind) => kind.endsWith('-access-token'))
  // A 401 without a challenge is not allowed, so a policy without any kind names Basic.
  const basic = !bearer || kinds.some((kind) => kind.endsWith('-api-key'))
  const quotedRealm = `realm=${quoted(realm)}`
  const schemes = [...(basic ? ['Basic'] : []), ...(bearer ? ['Bearer'] : [])]
  return schemes.map((scheme) => `${scheme} ${quotedRealm}`).join(', ')
}

/**
 * The challenge of a 403 to a token that is good but may not do this.
 *
 * @param scopes what the operation requires
 * @see RFC 6750 §3.1
 */
export function insufficientScope(scopes: readonly string[], realm: string): string {
  const scope = quoted([...new Set(scopes)].join(' '))
  return `Bearer realm=${quoted(realm)}, error="insufficient_scope", scope=${scope}`
}

function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`
}
