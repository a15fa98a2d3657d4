import { GatewayError } from '../errors/gateway-error.ts'
import { parseHost } from './host.ts'
import { canonicalTarget, type Target } from './target.ts'

/** A request's head in the terms of HTTP/1.1, as Node's parser hands it over. */
export type RawHead = {
  readonly method: string
  readonly url: string
  readonly httpVersion: string
  /** Names and values in turn, as received. */
  readonly rawHeaders: readonly string[]
}

/** How much body follows; decided by the parser's framing alone. */
export type BodyFraming =
  | { readonly kind: 'none' }
  | { readonly kind: 'sized'; readonly bytes: number }
  | { readonly kind: 'chunked' }

/** What the head says once nothing about it is ambiguous any more. */
export type Head = {
  readonly method: string
  readonly target: Target
  /** Lower case, without port. */
  readonly host: string
  /** The Host field as sent, known to be sound. */
  readonly hostField: string
  /** Lower-case field names, parallel to every second entry of `rawHeaders`. */
  readonly names: readonly string[]
  readonly authorization: string | undefined
  readonly body: BodyFraming
  /** All X-Forwarded-For values, joined in order. */
  readonly forwardedFor: string | undefined
  readonly forwardedProto: string | undefined
}

/** Bounds on a request's head. */
export type HeadLimits = { readonly maxHeaderFields: number; readonly maxTargetBytes: number }

/**
 * Read a request's head, refusing what two readers could understand differently.
 *
 * @throws {GatewayError} REQUEST_MALFORMED, TARGET_INVALID, TARGET_TOO_LONG, HOST_INVALID,
 *   HEADERS_TOO_LARGE, CREDENTIAL_MALFORMED, METHOD_NOT_IMPLEMENTED,
 *   TRANSFER_CODING_NOT_IMPLEMENTED, OPERATION_NOT_FOUND
 * @see RFC 9112 §3, §6
 */
export function readHead(raw: RawHead, limits: HeadLimits): Head {
  if (raw.url.length > limits.maxTargetBytes) throw new GatewayError('TARGET_TOO_LONG')
  const fields = collectFields(raw.rawHeaders, limits.maxHeaderFields)
  if (raw.method === 'TRACE' || raw.method === 'CONNECT') {
    throw new GatewayError('METHOD_NOT_IMPLEMENTED')
  }
  const target = canonicalTarget(raw.url, raw.method)
  const hostField = fields.host ?? ''
  return {
    method: raw.method,
    target,
    host: hostOf(hostField, target, raw.url),
    hostField,
    names: fields.names,
    authorization: fields.authorization,
    body: framing(raw.httpVersion, fields),
    forwardedFor: fields.forwardedFor,
    forwardedProto: fields.forwardedProto,
  }
}

type Fields = {
  names: string[]
  host?: string
  authorization?: string
  transferEncoding?: string
  contentLength?: string
  forwardedFor?: string
  forwardedProto?: string
}

function collectFields(rawHeaders: readonly string[], maxFields: number): Fields {
  if (rawHeaders.length > maxFields * 2) throw new GatewayError('HEADERS_TOO_LARGE')
  const fields: Fields = { names: [] }
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase()
    fields.names.push(name)
    collect(fields, name, rawHeaders[index + 1] ?? '')
  }
  return fields
}

function collect(fields: Fields, name: string, value: string): void {
  switch (name) {
    case 'host':
      if (fields.host !== undefined) throw new GatewayError('HOST_INVALID')
      fields.host = value
      break
    case 'authorization':
      // Node keeps the first of two and Hono joins them: two readers, two credentials.
      if (fields.authorization !== undefined) {
        throw new GatewayError('CREDENTIAL_MALFORMED', {
          details: 'The request has more than one Authorization header field.',
        })
      }
      fields.authorization = value
      break
    case 'transfer-encoding':
      if (fields.transferEncoding !== undefined) throw new GatewayError('REQUEST_MALFORMED')
      fields.transferEncoding = value
      break
    case 'content-length':
      if (fields.contentLength !== undefined) throw new GatewayError('REQUEST_MALFORMED')
      fields.contentLength = value
      break
    case 'x-forwarded-for':
      fields.forwardedFor =
        fields.forwardedFor === undefined ? value : `${fields.forwardedFor},${value}`
      break
    case 'x-forwarded-proto':
      // The nearest proxy writes last.
      fields.forwardedProto = value.split(',').at(-1)?.trim().toLowerCase() ?? ''
      break
  }
}

function hostOf(field: string, target: Target, url: string): string {
  const host = parseHost(field)
  const { authority } = target
  if (
    authority !== undefined &&
    (parseHost(authority) !== host || portsDiffer(field, authority, url))
  ) {
    throw new GatewayError('HOST_INVALID', {
      details: 'The request target and the Host header field name different hosts.',
    })
  }
  return host
}

/** One that is not written is the scheme's own (RFC 9110 §4.2). */
function portsDiffer(field: string, authority: string, url: string): boolean {
  const own = /^https/i.test(url) ? '443' : '80'
  const portOf = (text: string): string => /:(\d+)$/.exec(text)?.[1] ?? own
  return portOf(field) !== portOf(authority)
}

function framing(httpVersion: string, fields: Fields): BodyFraming {
  const { transferEncoding, contentLength } = fields
  if (transferEncoding !== undefined) {
    if (httpVersion === '1.0' || contentLength !== undefined) {
      throw new GatewayError('REQUEST_MALFORMED')
    }
    if (transferEncoding.toLowerCase() !== 'chunked') {
      throw new GatewayError('TRANSFER_CODING_NOT_IMPLEMENTED')
    }
    return { kind: 'chunked' }
  }
  if (contentLength === undefined || contentLength === '0') return { kind: 'none' }
  const bytes = Number(contentLength)
  if (!/^\d{1,16}$/.test(contentLength) || !Number.isSafeInteger(bytes)) {
    throw new GatewayError('REQUEST_MALFORMED')
  }
  return bytes === 0 ? { kind: 'none' } : { kind: 'sized', bytes }
}
