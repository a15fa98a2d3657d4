import type { RequestBody } from '../http1/exchange.ts'
import type { Exchange } from './exchange.ts'
import type { Instance } from './instance.ts'
import { Relay, type Hearing, type Waiting } from './relay.ts'
import { requestBody, type BodyLimits } from './request-body.ts'
import { UndiciHandler } from './undici-handler.ts'
import type { Upstream } from './upstream.ts'

/** What is sent upstream, and what the answer carries on its way back. */
export type ForwardPlan = Hearing & {
  /** Path and query behind the instance's own prefix. */
  readonly target: string
  /** Field names and values in turn. */
  readonly fields: string[]
  /** Stands for the operation, whose answers tell whether its requests can be pipelined. */
  readonly operation: object
  readonly bodyLimits: BodyLimits
}

/** HEAD is left out, since the connection closes after it. */
export function mayPipeline(
  { head, upgrade }: Exchange,
  { operation }: ForwardPlan,
  { pipelining }: Upstream,
): boolean {
  if (upgrade !== undefined) return false
  if (pipelining === undefined || head.method !== 'GET' || head.body.kind !== 'none') return false
  return pipelining.allows(operation)
}

/** Send a request once, to one instance. */
export function attempt(
  exchange: Exchange,
  plan: ForwardPlan,
  upstream: Upstream,
  instance: Instance,
  waiting: Waiting,
  isPipelined = false,
): void {
  exchange.notes.instance = instance.name
  const relay = new Relay(exchange, plan, waiting)
  send(exchange, plan, { instance, queueTimeoutMs: upstream.queueTimeoutMs }, relay, isPipelined)
}

function send(
  exchange: Exchange,
  plan: ForwardPlan,
  { instance, queueTimeoutMs }: { instance: Instance; queueTimeoutMs: number },
  relay: Relay,
  isPipelined: boolean,
): void {
  const { connections, pipelined, upgrading, pathPrefix } = instance
  const { head, upgrade } = exchange
  const target = pathPrefix + plan.target
  if (upgrade === undefined) {
    const body = bodyOf(exchange, plan)
    const through = isPipelined ? (pipelined ?? connections) : connections
    through.dispatch({ method: head.method, target, fields: plan.fields, body }, relay)
    return
  }
  upgrading.dispatch(
    { path: target, method: head.method, headers: plan.fields, upgrade: upgrade.protocol },
    new UndiciHandler(relay),
  )
  relay.awaitConnection(queueTimeoutMs)
}

function bodyOf(
  { incoming, outgoing, head: { body }, notes }: Exchange,
  { bodyLimits }: ForwardPlan,
): RequestBody | undefined {
  if (body.kind === 'none') return undefined
  if (notes.body !== undefined) return { kind: 'whole', bytes: notes.body }
  const stream = requestBody(incoming, outgoing, bodyLimits)
  return { kind: 'stream', stream, bytes: body.kind === 'sized' ? body.bytes : undefined }
}

/** @see RFC 9110 §9.2.2 */
export function isIdempotent(method: string): boolean {
  return ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'QUERY'].includes(method)
}
