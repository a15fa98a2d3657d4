/** Every kind of credential that Gatehouse can tell apart, as a security scheme names it. */
export const credentialKinds = [
  'cloud-api-key',
  'resource-api-key',
  'global-api-key',
  'sts-access-token',
  'external-access-token',
  'partner-access-token',
] as const

/** What a credential is, decided by the record behind it; all Basic credentials look alike on the wire. */
export type CredentialKind = (typeof credentialKinds)[number]

/** One member of a security requirement: a credential that must be presented. */
export type Requirement = {
  readonly kind: CredentialKind
  /** The scheme's name in the OpenAPI document; for documentation only, nothing is decided by it. */
  readonly scheme: string
  /** Scopes that the credential must carry; empty for schemes without scopes. */
  readonly scopes: readonly string[]
}

/**
 * The `security` of one operation: alternatives are OR, members of one alternative are AND.
 * An empty alternative (`[[]]`) admits anonymous callers; no alternative (`[]`) admits nobody.
 *
 * @see OpenAPI 3.1.1 §4.8.30 (Security Requirement Object)
 */
export type SecurityPolicy = readonly (readonly Requirement[])[]
