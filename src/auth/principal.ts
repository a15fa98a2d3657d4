/** Who is asking: what a verified credential stands for. */
export type Principal = MemberPrincipal | PartnerPrincipal

/** Somebody of an organization. */
export type MemberPrincipal = {
  readonly kind: 'user' | 'service-account' | 'identity-pool'
  /** `u-…`, `sa-…` or `pool-…`; of several pools the first. */
  readonly id: string
  /** UUID of the organization that the principal belongs to. */
  readonly organizationId: string
  /** Set where identity pools stand behind it: the caller has the permissions of all. */
  readonly pools?: { readonly ids: readonly string[]; readonly subject: string }
}

/** A partner belongs to no organization, and acts for many. */
export type PartnerPrincipal = {
  readonly kind: 'partner'
  /** `partner-…` */
  readonly id: string
  readonly organizationId?: undefined
  readonly clientId: string
}
