/** Who is asking: what a verified credential stands for. */
export type Principal = {
  readonly kind: 'user' | 'service-account'
  /** `u-…` or `sa-…` */
  readonly id: string
  /** UUID of the organization that the principal belongs to. */
  readonly organizationId: string
}
