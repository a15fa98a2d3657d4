import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import type { Context } from 'hono'
import type { Authentication } from '../auth/authenticate.ts'
import type { Match } from '../catalog/matcher.ts'
import type { GatewayError } from '../errors/gateway-error.ts'
import type { Counting, LimitState } from '../limits/admission.ts'
import type { RequestTrace } from '../telemetry/tracing.ts'
import type { ApiGroup } from './api-group.ts'
import type { Client } from './client.ts'
import type { Head } from './ingress.ts'
import type { Incoming, Outgoing } from './message.ts'
import type { Upgrade } from './upgrade.ts'

/** One request and the response to it, from the moment its head is known to be sound. */
export type Exchange = {
  readonly incoming: Incoming
  readonly outgoing: Outgoing
  readonly requestId: string
  /** Milliseconds of `performance.now()` when the head was read. */
  readonly startedAt: number
  readonly head: Head
  readonly client: Client
  /** Whether the client's own connection is encrypted, as far as we or a trusted proxy can tell. */
  readonly secure: boolean
  /** Whether the listener can be reached from this machine only. */
  readonly loopback: boolean
  /** Undefined: a request of HTTP, as nearly all are. */
  readonly upgrade: Upgrade | undefined
  readonly abandonment: Abandonment
  /** What runs when the response has ended or its connection is gone; see `whenEnded`. */
  readonly endings: (() => void)[]
  /** What the steps of the chain have left so far. */
  readonly notes: Notes
}

/**
 * Run something once the response has been sent or its connection is gone, whichever way that came
 * about; at once where it has come about already. In the order of the calls.
 *
 * One listener serves them all: registering costs more than what most of them do.
 */
export function whenEnded({ outgoing, endings }: Exchange, run: () => void): void {
  if (outgoing.closed) run()
  else endings.push(run)
}

/** How what happens to the connection or the process reaches a request that is under way. */
export type Abandonment = {
  reason: GatewayError | undefined
  /** Set by the step that is waiting; called at most once. */
  onAbandon: ((reason: GatewayError) => void) | undefined
}

/**
 * Give up a request from outside the chain. The step that waits fails with the reason, so that the
 * answer still comes from the chain; a response that has begun is cut.
 */
export function abandon({ abandonment, outgoing }: Exchange, reason: GatewayError): void {
  if (abandonment.reason !== undefined) return
  abandonment.reason = reason
  if (outgoing.headersSent) outgoing.destroy()
  else abandonment.onAbandon?.(reason)
}

/**
 * What the steps of the chain leave for those after them: one object of one shape, where Hono's own
 * variables are a `Map` that is made and grown for each request.
 */
export type Notes = {
  match: Extract<Match<ApiGroup>, { kind: 'found' }> | undefined
  /** The group whose error profile applies, also where no operation was found. */
  group: ApiGroup | undefined
  authentication: Authentication | undefined
  limit: LimitState | undefined
  /** What counts one of a quota, or gives one back, when its upstream says so. */
  counting: Counting | undefined
  /** Who calls, signed for the upstream that wants it. */
  assertion: string | undefined
  /** The request's body, where it had to be read whole before. */
  body: Buffer | undefined
  degraded: true | undefined
  /** The names of limits in shadow mode that would have refused the request. */
  shadow: string | undefined
  /** Where the request was sent, the last time if more than once. */
  instance: string | undefined
  /** From sending the request upstream to the head of its response. */
  upstreamMs: number | undefined
  /** From the request's head to the response's, less the upstream's share. */
  gatewayMs: number | undefined
  /** What came of the request: 'forwarded', 'documentation', 'client-gone', or an error code. */
  verdict: string | undefined
  /** Why a request was refused or failed: for the log alone. */
  cause: unknown
  /** Where traces are configured. */
  trace: RequestTrace | undefined
}

/** Before the first step. */
export function blankNotes(): Notes {
  return {
    match: undefined,
    group: undefined,
    authentication: undefined,
    limit: undefined,
    counting: undefined,
    assertion: undefined,
    body: undefined,
    degraded: undefined,
    shadow: undefined,
    instance: undefined,
    upstreamMs: undefined,
    gatewayMs: undefined,
    verdict: undefined,
    cause: undefined,
    trace: undefined,
  }
}

export type GatewayEnv = { Bindings: Exchange }

/** What a step returns that has answered, or has begun to, through the exchange's response. */
export const alreadySent: Response = RESPONSE_ALREADY_SENT

/**
 * What an earlier step of the chain left.
 *
 * @throws {Error} where that step did not run: the chain is out of order
 */
export function left<Key extends keyof Notes>(
  context: Context<GatewayEnv>,
  key: Key,
): NonNullable<Notes[Key]> {
  const value = context.env.notes[key]
  if (value === undefined || value === null) throw new Error(`No earlier step left "${key}"`)
  return value
}
