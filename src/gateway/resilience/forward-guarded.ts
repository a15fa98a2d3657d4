import { GatewayError } from '../../errors/gateway-error.ts'
import { attempt, isIdempotent, mayPipeline, type ForwardPlan } from '../attempt.ts'
import { abandon, whenEnded, type Exchange } from '../exchange.ts'
import type { Forwarded } from '../forwarded.ts'
import { fieldOf } from '../raw-fields.ts'
import {
  ClientGone,
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
import { pauseMs, type Retries } from './retries.ts'
import { saysItCannot } from './verdict.ts'
import type { GuardCounts } from './watch.ts'

/** One request on its way, however often it is sent. */
type Journey = {
  readonly exchange: Exchange
  readonly plan: ForwardPlan
  readonly upstream: Upstream
  readonly guard: Guard
  readonly isForCanary: boolean
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
  const travel = (): Promise<Forwarded> => {
    if (guard.totalTimeoutMs !== undefined) boundTotal(exchange, guard.totalTimeoutMs)
    guard.retries?.note()
    const isForCanary = guard.isForCanary(exchange.incoming.rawHeaders)
    return new Promise((resolve, reject) => {
      sendOnce({ exchange, plan, upstream, guard, isForCanary, tried: [], resolve, reject })
    })
  }
  return guard.circuit === undefined ? travel() : guard.circuit.run(travel)
}

/** What has not ended by then is answered 504, or cut where its answer has begun. */
function boundTotal(exchange: Exchange, totalTimeoutMs: number): void {
  const timer = setTimeout(() => {
    if (exchange.upgrade?.isAgreed === true) return
    abandon(exchange, new GatewayError('UPSTREAM_TIMEOUT', { cause: new TotalTimeout() }))
  }, totalTimeoutMs)
  whenEnded(exchange, () => {
    clearTimeout(timer)
  })
}

function sendOnce(journey: Journey): void {
  const { exchange, plan, upstream, guard, tried } = journey
  const candidate = guard.choose(tried, journey.isForCanary)
  if (candidate === undefined) {
    journey.reject(unavailable(new QueueFull()))
    return
  }
  const isFirst = tried.length === 0
  tried.push(candidate)
  const resolve = (forwarded: Forwarded): void => {
    hear(guard, candidate, forwarded)
    if (asksForAnother(forwarded) && maySendAgain(journey, undefined)) sendAgain(journey)
    else journey.resolve(forwarded)
  }
  const reject = (error: unknown): void => {
    if (isOfInstance(error)) guard.failed(candidate, reasonOf(error))
    if (error instanceof ClientGone) journey.resolve({ kind: 'client-gone' })
    else if (maySendAgain(journey, error)) sendAgain(journey)
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

/** An instance that says when to come back is not asked behind its back at another one. */
function asksForAnother(forwarded: Forwarded): boolean {
  if (forwarded.kind !== 'upstream-error' || !saysItCannot(forwarded.status)) return false
  return fieldOf(forwarded.rawFields, 'retry-after') === undefined
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Waiting requests leave within moments, or not at all: a second tells callers to come back. */
function unavailable(cause: Error): GatewayError {
  return new GatewayError('SERVICE_UNAVAILABLE', { retryAfterSeconds: 1, cause })
}

/** Without retries: once more, where the connection was at fault. */
const plainAttempts = 2

/** @param error undefined where the instance has answered that it cannot */
function maySendAgain({ exchange, guard, tried }: Journey, error: unknown): boolean {
  const { outgoing, abandonment, head } = exchange
  const { retries } = guard
  if (tried.length >= (retries?.maxAttempts ?? plainAttempts)) return false
  if (outgoing.headersSent || outgoing.closed || abandonment.reason !== undefined) return false
  if (!isBodyUntouched(exchange)) return false
  // Nobody has heard of it yet, so it costs nothing of the budget.
  if (neverSent(error)) return tried.length < guard.size
  if (!isIdempotent(head.method)) return false
  if (retries === undefined) return isStaleConnection(error)
  if (error !== undefined && !isOfInstance(error)) return false
  return takeRetry(retries, guard.counts)
}

function takeRetry(retries: Retries, counts: GuardCounts): boolean {
  const isLeft = retries.take()
  if (isLeft) counts.retries += 1
  else counts.withoutBudget += 1
  return isLeft
}

/** At once where there is another instance; the same one gets a moment. */
function sendAgain(journey: Journey): void {
  const { exchange, guard, tried } = journey
  const { abandonment, outgoing } = exchange
  // What was answered before is no answer to the client.
  exchange.notes.verdict = undefined
  if (guard.size > 1 || guard.retries === undefined) {
    sendOnce(journey)
    return
  }
  const timer = setTimeout(
    () => {
      if (outgoing.closed) journey.resolve({ kind: 'client-gone' })
      else if (abandonment.reason === undefined) sendOnce(journey)
    },
    pauseMs(tried.length, Math.random),
  )
  abandonment.onAbandon = (reason) => {
    clearTimeout(timer)
    journey.reject(reason)
  }
}

/** `null` says that nobody has begun to read (Node's `readableFlowing`). */
function isBodyUntouched({ head, incoming, notes }: Exchange): boolean {
  const isAtHand = head.body.kind === 'none' || notes.body !== undefined
  return isAtHand || incoming.readableFlowing === null
}
