import type { Authenticate, Authentication } from '../../auth/authenticate.ts'
import { resourceOf, type RequestParts } from '../../catalog/resource.ts'
import { GatewayError } from '../../errors/gateway-error.ts'
import type { AdmitAddress } from '../../limits/admission.ts'
import { limitedAddress } from '../client.ts'
import { left, type Exchange } from '../exchange.ts'
import type { Answered, Step } from '../in-order.ts'

/**
 * Establish who is asking, by what was presented and what the operation accepts.
 *
 * Failures are counted by address: once too many came from there, they answer 429. A valid
 * credential is never refused for what others at the same address did.
 */
export function authenticateStep(
  authenticate: Authenticate,
  admitAddress: AdmitAddress,
  poolField: string,
): Step {
  return (c) => {
    const match = left(c, 'match')
    const { security, group } = match.operation
    const exchange = c.env
    let outcome: Authentication | Promise<Authentication>
    try {
      const { resource: rule } = group
      const resource = rule && resourceOf(rule, match, requestParts(exchange))
      const { head, incoming } = exchange
      const pools = poolsNamed(incoming, poolField)
      outcome = authenticate(head.authorization, security, resource, pools)
    } catch (error) {
      return fail(exchange, admitAddress, error)
    }
    // A key that is at hand is answered at once.
    if (!(outcome instanceof Promise)) return proceed(exchange, outcome)
    return outcome.then(
      (authentication) => proceed(exchange, authentication),
      (error: unknown) => fail(exchange, admitAddress, error),
    )
  }
}

function proceed({ notes }: Exchange, authentication: Authentication): Answered {
  notes.authentication = authentication
  return undefined
}

async function fail(
  exchange: Exchange,
  admitAddress: AdmitAddress,
  error: unknown,
): Promise<never> {
  if (isCallersFault(error)) await countFailure(exchange, admitAddress, error)
  throw error
}

function requestParts({ head, incoming }: Exchange): RequestParts {
  return {
    query: head.target.query,
    header: (name) => {
      const value = incoming.headers[name]
      return Array.isArray(value) ? value.join(', ') : value
    },
  }
}

/** Where the field stands twice, Node joins the values with a comma, as a list is written. */
export function poolsNamed({ headers }: Exchange['incoming'], field: string): string | undefined {
  const value = headers[field]
  return Array.isArray(value) ? value.join(',') : value
}

function isCallersFault(error: unknown): boolean {
  return error instanceof GatewayError && error.status < 500
}

/** @throws {GatewayError} RATE_LIMIT_EXCEEDED */
async function countFailure(
  { client }: Exchange,
  admitAddress: AdmitAddress,
  cause: unknown,
): Promise<void> {
  const admission = await admitAddress(limitedAddress(client.address))
  if (admission.kind !== 'refused') return
  throw new GatewayError('RATE_LIMIT_EXCEEDED', {
    details: 'Too many requests without valid credentials came from this address.',
    retryAfterSeconds: admission.retryAfterSeconds,
    cause,
  })
}
