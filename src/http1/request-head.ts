import type { UpstreamRequest } from './exchange.ts'

/**
 * A request's head as text (RFC 9112 §3): latin1, up to where the fields of its framing go.
 *
 * It is joined, since text that is added to text is a tree of as many objects as there were additions.
 *
 * @param host value of the Host field
 * @throws {TypeError} where something would end its line: it would be another request
 */
export function requestHead({ method, target, fields }: UpstreamRequest, host: string): string {
  assertInLine(method)
  assertInLine(target)
  pieces[0] = method
  pieces[1] = ' '
  pieces[2] = target
  pieces[3] = ' HTTP/1.1\r\nhost: '
  pieces[4] = host
  pieces[5] = method === 'HEAD' ? '\r\nconnection: close\r\n' : '\r\nconnection: keep-alive\r\n'
  let count = 6
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] ?? ''
    // How the body is framed, its writer says.
    if (name === 'content-length') continue
    const value = fields[index + 1] ?? ''
    assertInLine(name)
    assertInLine(value)
    pieces[count] = name
    pieces[count + 1] = ': '
    pieces[count + 2] = value
    pieces[count + 3] = '\r\n'
    count += 4
  }
  pieces.length = count
  return pieces.join('')
}

/** Used again for each request, so that it has not to grow. */
const pieces: string[] = []

/** It comes from parsers and from here, so this cannot be; if it is, it must not pass. */
function assertInLine(text: string): void {
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
