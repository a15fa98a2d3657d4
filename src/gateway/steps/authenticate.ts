import type { Authenticate, Authentication } from '../../auth/authenticate.ts'
import { presentedKeyId } from '../../auth/authorization-field.ts'
import { resourceOf, type RequestParts } from '../../catalog/resource.ts'
import { GatewayError } from '../../errors/gateway-error.ts'
import type { AdmitAddress } from '../../limits/admission.ts'
import { limitedAddress } from '../client.ts'
import { left, type Exchange } from '../exchange.ts'
import type { Answered, Step } from '../in-order.ts'
import { listOf } from '../raw-fields.ts'

/**
 * Establish who is asking, by what was presented and what the operation accepts.
 *
 * Failures are counted by address and by API key ID: once there were too many, they answer 429. A valid
 * credential is never refused for what others did at the same address, or with its ID.
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
      const pools = listOf(incoming.rawHeaders, poolField)
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
    header: (name) => listOf(incoming.rawHeaders, name),
  }
}

function isCallersFault(error: unknown): boolean {
  return error instanceof GatewayError && error.status < 500
}

/** @throws {GatewayError} RATE_LIMIT_EXCEEDED */
async function countFailure(
  { client, head }: Exchange,
  admitAddress: AdmitAddress,
  cause: unknown,
): Promise<void> {
  const ofAddress = await admitAddress(limitedAddress(client.address))
  if (ofAddress.kind === 'refused') {
    const details = 'Too many requests without valid credentials came from this address.'
    throw tooMany(ofAddress, details, cause)
  }
  const keyId = presentedKeyId(head.authorization)
  if (keyId === undefined) return
  // Behind a word, as no address is.
  const ofKey = await admitAddress(`key ${keyId}`)
  if (ofKey.kind === 'refused') {
    const details = 'Too many requests came with this API key ID and without its secret.'
    throw tooMany(ofKey, details, cause)
  }
}

function tooMany(
  { retryAfterSeconds }: { readonly retryAfterSeconds: number },
  details: string,
  cause: unknown,
): GatewayError {
  return new GatewayError('RATE_LIMIT_EXCEEDED', { details, retryAfterSeconds, cause })
}
