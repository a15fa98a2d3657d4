/** A part of a provider's tokens that stands for one principal: those whose claims match its filter. */
export type IdentityPoolRecord = {
  /** `pool-…` */
  readonly id: string
  readonly state: 'enabled' | 'disabled'
  /** Which claim names the subject: `claims.sub`, say; the root may be left out. */
  readonly identityClaim: string
  /** A CEL expression over `claims`. */
  readonly filter: string
}

/** An organization's trust in an issuer of tokens. */
export type IdentityProviderRecord = {
  /** `op-…` */
  readonly id: string
  readonly organizationId: string
  /** Exactly as tokens carry it in `iss`. */
  readonly issuer: string
  /** Where its keys are; undefined: as its OpenID configuration says. */
  readonly jwksUri: string | undefined
  /** Algorithms or families of them: `RS`, `PS`, `ES`, `ES256`, `EdDSA`; none: all. */
  readonly algorithms: readonly string[]
  readonly state: 'enabled' | 'disabled'
  /** Which claim names the subject where no single pool decides it. */
  readonly identityClaim: string | undefined
  readonly pools: readonly IdentityPoolRecord[]
}

/**
 * The providers that tokens of an issuer may belong to: several organizations may know one issuer.
 * A record that has changed is another object, and one that has not is the same; decisions are kept
 * by that. It answers without a promise where the records are at hand.
 *
 * @throws {GatewayError} DIRECTORY_UNAVAILABLE
 */
export type FindProviders = (
  issuer: string,
) => readonly IdentityProviderRecord[] | Promise<readonly IdentityProviderRecord[]>
