import { GatewayError } from '../errors/gateway-error.ts'
import { QueueTimeout } from '../http1/failures.ts'

/** The client closed its connection, so nobody waits for an answer any more. */
export class ClientGone extends Error {}

/** As many requests wait for a connection to each instance as may. */
export class QueueFull extends Error {}

/** The whole of a request took longer than its group allows. */
export class TotalTimeout extends Error {}

/** Name what went wrong between the gateway and an upstream, for the caller. */
export function upstreamFailure(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error
  if (error instanceof QueueTimeout || timeouts.has(codeOf(error))) {
    return new GatewayError('UPSTREAM_TIMEOUT', { cause: error })
  }
  if (neverSent(error)) return new GatewayError('UPSTREAM_UNREACHABLE', { cause: error })
  return new GatewayError('UPSTREAM_INVALID_RESPONSE', { cause: error })
}

/** Whether no connection could be made, so that the upstream cannot have seen the request. */
export function neverSent(error: unknown): boolean {
  return connectFailures.has(codeOf(error))
}

/** Whether the upstream closed the connection before it answered anything. */
export function isStaleConnection(error: unknown): boolean {
  return closed.has(codeOf(error))
}

/**
 * Whether a failure tells of the instance, and not of the client, of a queue here, or of a bug: a
 * `TypeError` says that what was to be sent is none.
 */
export function isOfInstance(error: unknown): boolean {
  const isOfOthers = [GatewayError, QueueTimeout, ClientGone, TypeError].some(
    (each) => error instanceof each,
  )
  if (isOfOthers) return false
  return !/^UND_ERR_(?:INVALID|REQ)/.test(codeOf(error))
}

const timeouts = new Set([
  'CONNECT_TIMEOUT',
  'HEAD_TIMEOUT',
  'BODY_TIMEOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
])

const connectFailures = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'ENOTFOUND',
  'EAI_AGAIN',
  'CONNECT_TIMEOUT',
  'POOL_CLOSED',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_DESTROYED',
  'UND_ERR_CLOSED',
])

const closed = new Set(['CONNECTION_CLOSED', 'UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'])

function codeOf(error: unknown): string {
  if (error instanceof AggregateError) return codeOf(error.errors[0])
  if (typeof error !== 'object' || error === null || !('code' in error)) return ''
  return typeof error.code === 'string' ? error.code : ''
}
