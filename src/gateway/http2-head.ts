import { GatewayError } from '../errors/gateway-error.ts'
import type { RawHead } from './ingress.ts'

/**
 * A head of HTTP/2 in the terms of HTTP/1.1, so that one reader decides about both: the target from
 * `:path`, `:authority` as the Host field, crumbs of cookies as one field, and a body whose length
 * nobody said as a chunked one.
 *
 * @param raw names and values in turn as received, pseudo-header fields among them
 * @param endsHere whether no body follows
 * @throws {GatewayError} REQUEST_MALFORMED, HOST_INVALID, HEADERS_TOO_LARGE
 * @see RFC 9113 §8.2.3, §8.3.1
 */
export function headOfHttp2(
  raw: readonly string[],
  endsHere: boolean,
  maxHeaderBytes: number,
): RawHead {
  refuseLarge(raw, maxHeaderBytes)
  const pseudo = pseudoFields(raw)
  const rawHeaders = plainFields(raw, pseudo.get(':authority'))
  if (!endsHere && !rawHeaders.includes('content-length')) {
    rawHeaders.push('transfer-encoding', 'chunked')
  }
  const method = pseudo.get(':method') ?? ''
  const url = pseudo.get(':path') ?? ''
  if (method !== 'CONNECT') refuseOtherTargets(url, pseudo.get(':scheme'))
  return { method, url, httpVersion: '2.0', rawHeaders }
}

/** Counted as peers are told that we count (RFC 9113 §6.5.2), less the overhead. */
function refuseLarge(raw: readonly string[], maxHeaderBytes: number): void {
  let bytes = 0
  for (const text of raw) bytes += text.length
  if (bytes > maxHeaderBytes) throw new GatewayError('HEADERS_TOO_LARGE')
}

function pseudoFields(raw: readonly string[]): ReadonlyMap<string, string> {
  const pseudo = new Map<string, string>()
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] ?? ''
    if (!name.startsWith(':')) continue
    if (pseudo.has(name) || !known.has(name)) throw new GatewayError('REQUEST_MALFORMED')
    pseudo.set(name, raw[index + 1] ?? '')
  }
  return pseudo
}

const known = new Set([':method', ':scheme', ':authority', ':path'])

function plainFields(raw: readonly string[], authority: string | undefined): string[] {
  const fields: string[] = authority === undefined ? [] : ['host', authority]
  const crumbs: string[] = []
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] ?? ''
    const value = raw[index + 1] ?? ''
    if (name.startsWith(':')) continue
    if (isConnectionSpecific(name, value)) throw new GatewayError('REQUEST_MALFORMED')
    if (name === 'cookie') crumbs.push(value)
    else if (name !== 'host' || authority === undefined) fields.push(name, value)
    else if (value.toLowerCase() !== authority.toLowerCase()) throw hostsDiffer()
  }
  if (crumbs.length > 0) fields.push('cookie', crumbs.join('; '))
  return fields
}

function hostsDiffer(): GatewayError {
  return new GatewayError('HOST_INVALID', {
    details: 'The :authority pseudo-header field and the Host header field name different hosts.',
  })
}

/** Node's library refuses these before us; what a next version lets through must not be read as HTTP/1.1. */
function isConnectionSpecific(name: string, value: string): boolean {
  switch (name) {
    case 'connection':
    case 'proxy-connection':
    case 'keep-alive':
    case 'transfer-encoding':
    case 'upgrade':
      return true
    case 'te':
      return value.toLowerCase() !== 'trailers'
    default:
      return name !== name.toLowerCase()
  }
}

/** HTTP/2 has no absolute form, and only what came encrypted is for this listener. */
function refuseOtherTargets(path: string, scheme: string | undefined): void {
  if (scheme !== 'https') throw new GatewayError('REQUEST_MALFORMED')
  if (!path.startsWith('/') && path !== '*') throw new GatewayError('TARGET_INVALID')
}
