import type { AccessRecord } from '../telemetry/access-line.ts'
import type { Exchange } from './exchange.ts'
import { listOf } from './raw-fields.ts'

/** Where access records go. */
export type WriteAccess = (record: AccessRecord) => void

const maxTextLength = 256

/**
 * The record of a request that went through the chain, made when its response has ended: what
 * happened to it. Secrets and query strings never are in it.
 */
export function accessRecord(exchange: Exchange): AccessRecord {
  const { head, incoming, outgoing, notes, requestId, client, startedAt } = exchange
  const durationMs = performance.now() - startedAt
  const verdict = notes.verdict ?? 'client-gone'
  const known = notes.authentication?.kind === 'authenticated' ? notes.authentication : undefined
  return {
    requestId,
    traceId: notes.trace?.traceId,
    method: head.method,
    protocol: incoming.httpVersion === '1.1' ? undefined : `HTTP/${incoming.httpVersion}`,
    path: capped(head.target.path),
    host: capped(head.host),
    group: notes.group?.name,
    operation: notes.match?.operation.id,
    principal: known?.principal.id,
    organization: known?.principal.organizationId,
    credential: known?.credential.id,
    credentialKind: known?.credential.kind,
    status: verdict === 'client-gone' ? 499 : outgoing.statusCode,
    verdict,
    reason: reasonOf(notes.cause),
    // Who still calls what ends is counted from these.
    stage: endingStage(notes),
    complete: outgoing.writableFinished,
    degraded: notes.degraded,
    shadow: notes.shadow,
    clientAddress: client.address,
    userAgent: capped(listOf(incoming.rawHeaders, 'user-agent')),
    gatewayMs: rounded(notes.gatewayMs ?? durationMs),
    instance: notes.instance,
    upstreamMs: rounded(notes.upstreamMs),
    durationMs: rounded(durationMs),
  }
}

function endingStage({ match }: Exchange['notes']): string | undefined {
  const stage = match?.operation.lifecycle.stage
  return stage === 'deprecated' || stage === 'sunset' ? stage : undefined
}

/** The private reason of a refusal or failure; the innermost one tells most. */
export function reasonOf(cause: unknown): string | undefined {
  if (!(cause instanceof Error)) return undefined
  return (
    reasonOf(cause.cause) ?? capped(cause.message === '' ? cause.constructor.name : cause.message)
  )
}

/** Cut what a caller chose the length of. */
export function capped(text: string | undefined): string | undefined {
  return text !== undefined && text.length > maxTextLength
    ? `${text.slice(0, maxTextLength)}…`
    : text
}

/** Microsecond resolution is what the clock gives; more digits would be noise. */
function rounded(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms * 1000) / 1000
}
