/** How forwarding went, once the client's answer has begun or can begin. */
export type Forwarded =
  /** The response is on its way to the client; the rest streams by itself. */
  | { readonly kind: 'streaming' }
  /** An error of the upstream, not yet answered. */
  | {
      readonly kind: 'upstream-error'
      readonly status: number
      readonly rawFields: readonly string[]
      /** The whole body, or its beginning where it is longer than any known error shape. */
      readonly body: Buffer
    }
  | { readonly kind: 'client-gone' }
