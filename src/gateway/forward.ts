import { GatewayError } from '../errors/gateway-error.ts'
import { attempt, isIdempotent, mayPipeline, type ForwardPlan } from './attempt.ts'
import type { Exchange } from './exchange.ts'
import type { Forwarded } from './forwarded.ts'
import { forwardGuarded } from './resilience/forward-guarded.ts'
import { isStaleConnection, neverSent, upstreamFailure } from './upstream-failure.ts'
import type { Upstream } from './upstream.ts'

/**
 * Send a request upstream and stream the answer to the client, with back-pressure both ways.
 *
 * A request is sent a second time only where the first cannot have had an effect: it never left,
 * or it is idempotent, has no body, and met a connection that the upstream had just closed.
 *
 * @throws {GatewayError} UPSTREAM_UNREACHABLE, UPSTREAM_TIMEOUT, UPSTREAM_INVALID_RESPONSE,
 *   BODY_TOO_LARGE, REQUEST_TIMEOUT, REQUEST_MALFORMED; only before the answer has begun
 */
export function forward(
  exchange: Exchange,
  plan: ForwardPlan,
  upstream: Upstream,
): Promise<Forwarded> {
  if (exchange.abandonment.reason !== undefined) throw exchange.abandonment.reason
  // It left before it was admitted: its slots are given back already, and nobody waits for an answer.
  if (exchange.outgoing.closed) return Promise.resolve({ kind: 'client-gone' })
  refuseLargeBody(exchange, plan)
  if (upstream.guard !== undefined) return forwardGuarded(exchange, plan, upstream, upstream.guard)
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => {
      reject(upstreamFailure(error))
    }
    const tryAgain = (error: unknown): void => {
      if (!maySendAgain(error, exchange, upstream)) fail(error)
      else attempt(exchange, plan, upstream, upstream.next(), { resolve, reject: fail })
    }
    const isPipelined = mayPipeline(exchange, plan, upstream)
    attempt(exchange, plan, upstream, upstream.next(), { resolve, reject: tryAgain }, isPipelined)
  })
}

/** An announced length is refused before the upstream hears of the request. */
function refuseLargeBody({ head: { body } }: Exchange, { bodyLimits }: ForwardPlan): void {
  if (body.kind === 'sized' && body.bytes > bodyLimits.maxBodyBytes) {
    throw new GatewayError('BODY_TOO_LARGE')
  }
}

function maySendAgain(
  error: unknown,
  { head, outgoing, abandonment }: Exchange,
  upstream: Upstream,
): boolean {
  if (outgoing.headersSent || outgoing.closed || abandonment.reason !== undefined) return false
  if (neverSent(error)) return upstream.size > 1
  return isStaleConnection(error) && head.body.kind === 'none' && isIdempotent(head.method)
}
