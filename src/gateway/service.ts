import type { Authentication } from '../auth/authenticate.ts'

/** Who calls a service of this process, and in which request. A Hono app finds it as its `env`. */
export type Caller = {
  readonly authentication: Authentication
  readonly requestId: string
  /** The client's address. */
  readonly address: string
  /** Say why the request is refused: for the log only, and never what the client sent. */
  readonly explain?: (reason: string) => void
}

/**
 * A service of this process: an upstream without a network between. It is called with requests that
 * were authenticated and admitted, the Authorization field and all that the client sent included.
 * An answer of 400 and above is treated as any upstream's: it passes in the shape of the group's
 * error profile, and anything else is normalised.
 *
 * `(request, caller) => app.fetch(request, caller)` makes one of a Hono app.
 */
export type Service = (request: Request, caller: Caller) => Response | Promise<Response>

/** A service of this process as the upstream of a group. */
export type ServiceUpstream = { readonly kind: 'service'; readonly service: Service }
