import { GatewayError } from '../../errors/gateway-error.ts'
import { attempt, isIdempotent, mayPipeline, type ForwardPlan } from '../attempt.ts'
import { abandon, whenEnded, type Exchange } from '../exchange.ts'
import type { Forwarded } from '../relay.ts'
import {
  isOfInstance,
  isStaleConnection,
  neverSent,
  QueueFull,
  TotalTimeout,
  upstreamFailure,
} from '../upstream-failure.ts'
import type { Upstream } from '../upstream.ts'
import type { Candidate } from './candidate.ts'
import type { Guard } from './guard.ts'

/** One request on its way, however often it is sent. */
type Journey = {
  readonly exchange: Exchange
  readonly plan: ForwardPlan
  readonly upstream: Upstream
  readonly guard: Guard
  /** Where it was sent, in order. */
  readonly tried: Candidate[]
  readonly resolve: (forwarded: Forwarded) => void
  readonly reject: (error: GatewayError) => void
}

/**
 * Send a request to the instance that the guard names, and to another one where that is safe.
 *
 * What was refused before a byte was written goes elsewhere, whatever its method. Anything else is
 * sent again only where it is idempotent and nothing of its body was read.
 */
export function forwardGuarded(
  exchange: Exchange,
  plan: ForwardPlan,
  upstream: Upstream,
  guard: Guard,
): Promise<Forwarded> {
  if (guard.totalTimeoutMs !== undefined) boundTotal(exchange, guard.totalTimeoutMs)
  return new Promise((resolve, reject) => {
    sendOnce({ exchange, plan, upstream, guard, tried: [], resolve, reject })
  })
}

/** What has not ended by then is answered 504, or cut where its answer has begun. */
function boundTotal(exchange: Exchange, totalTimeoutMs: number): void {
  const timer = setTimeout(() => {
    abandon(exchange, new GatewayError('UPSTREAM_TIMEOUT', { cause: new TotalTimeout() }))
  }, totalTimeoutMs)
  whenEnded(exchange, () => {
    clearTimeout(timer)
  })
}

function sendOnce(journey: Journey): void {
  const { exchange, plan, upstream, guard, tried } = journey
  const candidate = guard.choose(tried)
  if (candidate === undefined) {
    journey.reject(unavailable(new QueueFull()))
    return
  }
  const isFirst = tried.length === 0
  tried.push(candidate)
  const resolve = (forwarded: Forwarded): void => {
    hear(guard, candidate, forwarded)
    journey.resolve(forwarded)
  }
  const reject = (error: unknown): void => {
    if (isOfInstance(error)) guard.failed(candidate, reasonOf(error))
    if (maySendAgain(journey, error)) sendOnce(journey)
    else journey.reject(upstreamFailure(error))
  }
  const isPipelined = isFirst && mayPipeline(exchange, plan, upstream)
  attempt(exchange, plan, upstream, candidate.instance, { resolve, reject }, isPipelined)
}

/** That nobody waited for the answer says nothing of the instance. */
function hear(guard: Guard, candidate: Candidate, forwarded: Forwarded): void {
  if (forwarded.kind === 'client-gone') return
  if (forwarded.kind === 'upstream-error' && saysItCannot(forwarded.status)) {
    guard.failed(candidate, `status ${forwarded.status}`)
  } else {
    guard.succeeded(candidate)
  }
}

/**
 * An instance that answers 500 has answered, and may do so because of what one caller sends: who
 * could have it ejected by that could take the whole upstream away from everybody.
 */
function saysItCannot(status: number): boolean {
  return status === 502 || status === 503 || status === 504
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Waiting requests leave within moments, or not at all: a second tells callers to come back. */
function unavailable(cause: Error): GatewayError {
  return new GatewayError('SERVICE_UNAVAILABLE', { retryAfterSeconds: 1, cause })
}

/** So often is a request sent in all. */
const maxAttempts = 2

function maySendAgain({ exchange, guard, tried }: Journey, error: unknown): boolean {
  const { outgoing, abandonment, head } = exchange
  if (tried.length >= maxAttempts) return false
  if (outgoing.headersSent || outgoing.closed || abandonment.reason !== undefined) return false
  if (!isBodyUntouched(exchange)) return false
  if (neverSent(error)) return tried.length < guard.size
  return isStaleConnection(error) && isIdempotent(head.method)
}

/** `null` says that nobody has begun to read (Node's `readableFlowing`). */
function isBodyUntouched({ head, incoming }: Exchange): boolean {
  return head.body.kind === 'none' || incoming.readableFlowing === null
}
