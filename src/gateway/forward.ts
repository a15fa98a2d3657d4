import { GatewayError } from '../errors/gateway-error.ts'
import type { Exchange } from './exchange.ts'
import { Relay, type Forwarded, type Waiting } from './relay.ts'
import { requestBody, type BodyLimits } from './request-body.ts'
import type { OwnFields } from './response-fields.ts'
import { isStaleConnection, neverSent, upstreamFailure } from './upstream-failure.ts'
import type { Instance, Upstream } from './upstream.ts'

/** What is sent upstream, and what the answer carries on its way back. */
export type ForwardPlan = {
  /** Path and query behind the instance's own prefix. */
  readonly target: string
  /** Field names and values in turn. */
  readonly fields: string[]
  /** Stands for the operation, whose answers tell whether its requests can be pipelined. */
  readonly operation: object
  readonly own: OwnFields
  readonly bodyLimits: BodyLimits
  /** Told the milliseconds from sending to the head of the upstream's response, when it is there. */
  readonly onHead: (upstreamMs: number) => void
}

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
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => {
      reject(upstreamFailure(error))
    }
    const tryAgain = (error: unknown): void => {
      if (!maySendAgain(error, exchange, upstream)) fail(error)
      else attempt(exchange, plan, upstream, { resolve, reject: fail })
    }
    const isPipelined = mayPipeline(exchange, plan, upstream)
    attempt(exchange, plan, upstream, { resolve, reject: tryAgain }, isPipelined)
  })
}

/** An announced length is refused before the upstream hears of the request. */
function refuseLargeBody({ head: { body } }: Exchange, { bodyLimits }: ForwardPlan): void {
  if (body.kind === 'sized' && body.bytes > bodyLimits.maxBodyBytes) {
    throw new GatewayError('BODY_TOO_LARGE')
  }
}

/** HEAD is left out, since undici closes the connection after it. */
function mayPipeline(
  { head }: Exchange,
  { operation }: ForwardPlan,
  { pipelining }: Upstream,
): boolean {
  if (pipelining === undefined || head.method !== 'GET' || head.body.kind !== 'none') return false
  return pipelining.allows(operation)
}

function attempt(
  exchange: Exchange,
  plan: ForwardPlan,
  upstream: Upstream,
  outcome: Pick<Waiting, 'resolve' | 'reject'>,
  isPipelined = false,
): void {
  const { pipelining } = upstream
  const relay = new Relay(exchange, plan.own, {
    ...outcome,
    onHead: plan.onHead,
    onBody:
      pipelining === undefined
        ? undefined
        : (cameWhole) => {
            pipelining.note(plan.operation, cameWhole)
          },
  })
  send(exchange, plan, upstream.next(), relay, isPipelined)
  relay.awaitConnection(upstream.queueTimeoutMs)
}

function send(
  { incoming, outgoing, head }: Exchange,
  plan: ForwardPlan,
  { dispatcher, pipelined, pathPrefix }: Instance,
  relay: Relay,
  isPipelined: boolean,
): void {
  const body = head.body.kind === 'none' ? null : requestBody(incoming, outgoing, plan.bodyLimits)
  const connections = isPipelined ? (pipelined ?? dispatcher) : dispatcher
  connections.dispatch(
    {
      path: pathPrefix + plan.target,
      method: head.method,
      headers: plan.fields,
      body,
      // undici takes every answer for one that holds up the pipeline until it is told otherwise.
      blocking: !isPipelined,
    },
    relay,
  )
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

/** @see RFC 9110 §9.2.2 */
function isIdempotent(method: string): boolean {
  return ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'QUERY'].includes(method)
}
