import type { Context } from 'hono'
import type { AccessRecord } from '../telemetry/access-line.ts'
import type { GatewayEnv } from './exchange.ts'

/** Where access records go. */
export type WriteAccess = (record: AccessRecord) => void

const maxTextLength = 256

/**
 * The record of a request that went through the chain, made when its response has ended: what
 * happened to it. Secrets and query strings never are in it.
 */
export function accessRecord(c: Context<GatewayEnv>): AccessRecord {
  const { head, outgoing, requestId, client, startedAt } = c.env
  const operation = c.get('match')?.operation
  const durationMs = performance.now() - startedAt
  const verdict = c.get('verdict') ?? 'client-gone'
  return {
    requestId,
    method: head.method,
    path: capped(head.target.path),
    host: capped(head.host),
    group: c.get('group')?.name,
    operation: operation?.id,
    ...identity(c),
    status: verdict === 'client-gone' ? 499 : outgoing.statusCode,
    verdict,
    reason: reasonOf(c.get('cause')),
    complete: outgoing.writableFinished,
    degraded: c.get('degraded'),
    clientAddress: client.address,
    userAgent: capped(c.env.incoming.headers['user-agent']),
    gatewayMs: rounded(c.get('gatewayMs') ?? durationMs),
    upstreamMs: rounded(c.get('upstreamMs')),
    durationMs: rounded(durationMs),
  }
}

function identity(c: Context<GatewayEnv>): AccessRecord {
  const authentication = c.get('authentication')
  if (authentication?.kind !== 'authenticated') return {}
  const { principal, credential } = authentication
  return {
    principal: principal.id,
    organization: principal.organizationId,
    credential: credential.id,
    credentialKind: credential.kind,
  }
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
