import type { UpstreamRequest } from './exchange.ts'

/**
 * A request's head as text (RFC 9112 §3): latin1, up to where the fields of its framing go.
 *
 * @param host value of the Host field
 * @throws {TypeError} where something would end its line: it would be another request
 */
export function requestHead({ method, target, fields }: UpstreamRequest, host: string): string {
  const keeps = method === 'HEAD' ? 'close' : 'keep-alive'
  assertOneLine(method)
  assertOneLine(target)
  let head = `${method} ${target} HTTP/1.1\r\nhost: ${host}\r\nconnection: ${keeps}\r\n`
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] ?? ''
    if (name === 'content-length') continue
    const value = fields[index + 1] ?? ''
    assertOneLine(name)
    assertOneLine(value)
    head += `${name}: ${value}\r\n`
  }
  return head
}

/** Fields come from parsers and from here, so this cannot be; if it is, it must not pass. */
function assertOneLine(text: string): void {
  if (breaksLine.test(text)) throw new TypeError('A line break in a request')
}

/** Of what latin1 does not have, the lower byte alone is written, and that may be a line break too. */
const breaksLine = /[\r\n\u0100-\uffff]/

/** The fields that say where the body ends, and the empty line. */
export function framing(method: string, bytes: number | undefined): string {
  if (bytes === undefined) return 'transfer-encoding: chunked\r\n\r\n'
  // Of a method that has no body otherwise, a length of nothing says nothing (RFC 9110 §8.6).
  return bytes > 0 || hasContent(method) ? `content-length: ${bytes}\r\n\r\n` : '\r\n'
}

function hasContent(method: string): boolean {
  return method === 'POST' || method === 'PUT' || method === 'PATCH' || method === 'QUERY'
}
