import { hasDistinctMembers } from '../../auth/tokens/strict-json.ts'
import type { BodyKind, BodyValidation, Validation } from '../../catalog/validation/validation.ts'
import { GatewayError, type InvalidField } from '../../errors/gateway-error.ts'
import { left, type Exchange } from '../exchange.ts'
import type { Answered, Step } from '../in-order.ts'
import { listOf } from '../raw-fields.ts'
import { requestBody, type BodyLimits } from '../request-body.ts'

/** Deeper than any API nests, and shallow enough for whatever is recursive. */
const jsonLimits = { maxDepth: 100, maxNodes: 1_000_000 }

/**
 * Hold parameters and body against the document, where the group asks for it. A JSON body is read
 * whole, up to a bound of its own; what is forwarded are its bytes as they came.
 *
 * A member that stands twice is refused: the service might take the other one than was checked.
 *
 * Throws {GatewayError} INVALID_REQUEST, UNSUPPORTED_MEDIA_TYPE, VALIDATION_FAILED, BODY_TOO_LARGE,
 * REQUEST_TIMEOUT, REQUEST_MALFORMED.
 */
export function validateStep(idleTimeoutMs: number): Step {
  return (c) => {
    const { operation, params } = left(c, 'match')
    const { validation, group } = operation
    if (validation === undefined) return undefined
    const fields = parameterFields(validation, params, c.env)
    const kind = bodyKind(validation.body, c.env)
    if (typeof kind === 'string') return pass(fields)
    const { maxValidatedBodyBytes: maxBodyBytes } = group
    // All of it has to be there in that time.
    const limits = { maxBodyBytes, minBytesPerSecond: 0, idleTimeoutMs }
    return wholeBody(c.env, limits).then((bytes) => {
      c.env.notes.body = bytes
      return pass([...fields, ...kind(parsed(bytes))])
    })
  }
}

function pass(fields: readonly InvalidField[]): Answered {
  if (fields.length > 0) throw new GatewayError('VALIDATION_FAILED', { fields })
  return undefined
}

function parameterFields(
  { parameters }: Validation,
  path: Parameters<Validation['parameters']>[0]['path'],
  { head, incoming }: Exchange,
): readonly InvalidField[] {
  return parameters({
    path,
    query: new URLSearchParams(head.target.query),
    header: (name) => listOf(incoming.rawHeaders, name),
  })
}

function bodyKind(body: BodyValidation | undefined, { head, incoming }: Exchange): BodyKind {
  if (body === undefined) return 'opaque'
  const { rawHeaders } = incoming
  if (head.body.kind === 'none' || (head.body.kind === 'sized' && head.body.bytes === 0)) {
    if (!body.required) return 'opaque'
    const fields = [{ pointer: '', message: 'must be present' }]
    throw new GatewayError('VALIDATION_FAILED', { fields })
  }
  const contentType = listOf(rawHeaders, 'content-type')
  const kind = body.kindOf(contentType)
  const coding = listOf(rawHeaders, 'content-encoding')?.toLowerCase() ?? 'identity'
  if (kind === 'unsupported') throw new GatewayError('UNSUPPORTED_MEDIA_TYPE')
  if (typeof kind === 'string') return kind
  if (otherCharset.test(contentType ?? '')) {
    const details = 'The operation takes JSON in UTF-8.'
    throw new GatewayError('UNSUPPORTED_MEDIA_TYPE', { details })
  }
  if (coding === 'identity') return kind
  throw new GatewayError('UNSUPPORTED_MEDIA_TYPE', {
    details: 'The operation takes bodies without a content coding.',
    headers: { 'Accept-Encoding': 'identity' },
  })
}

/** JSON is UTF-8 (RFC 8259 §8.1); a service that believed anything else would read another text than was checked. */
const otherCharset = /;\s*charset\s*=(?!\s*"?(?:utf-?8|us-ascii)"?\s*(?:;|$))/i

/**
 * Whatever ends the request meanwhile ends the reading, too. It may take as long in all as elsewhere one
 * pause: the request holds its slots.
 */
function wholeBody(exchange: Exchange, limits: BodyLimits): Promise<Buffer> {
  const { head, incoming, outgoing, abandonment } = exchange
  if (abandonment.reason !== undefined) throw abandonment.reason
  if (head.body.kind === 'sized' && head.body.bytes > limits.maxBodyBytes)
    throw new GatewayError('BODY_TOO_LARGE')
  const body = requestBody(incoming, outgoing, limits)
  const timer = setTimeout(
    () => body.destroy(new GatewayError('REQUEST_TIMEOUT')),
    limits.idleTimeoutMs,
  )
  abandonment.onAbandon = (reason) => {
    body.destroy(reason)
  }
  return body
    .toArray()
    .then((chunks: Buffer[]) => Buffer.concat(chunks))
    .finally(() => {
      clearTimeout(timer)
      abandonment.onAbandon = undefined
    })
}

/** @throws {GatewayError} INVALID_REQUEST */
function parsed(bytes: Buffer): unknown {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || hasDistinctMembers(text, jsonLimits))
      return value
  } catch (cause) {
    throw malformed(cause)
  }
  throw malformed(new Error('A member stands twice, or it is too deep or too large'))
}

function malformed(cause: unknown): GatewayError {
  return new GatewayError('INVALID_REQUEST', {
    details: 'The body is not JSON that can be read in one way alone.',
    cause,
  })
}
