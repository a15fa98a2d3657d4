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
    pieces[count] = name
    pieces[count + 1] = ': '
    pieces[count + 2] = fields[index + 1] ?? ''
    pieces[count + 3] = '\r\n'
    count += 4
  }
  pieces.length = count
  const head = pieces.join('')
  assertLines(head, 3 + (count - 6) / 4)
  return head
}

/** Used again for each request, so that it has not to grow. */
const pieces: string[] = []

/** Fields come from parsers and from here, so this cannot be; if it is, it must not pass. */
function assertLines(head: string, lines: number): void {
  let found = 0
  for (let at = head.indexOf('\n'); at !== -1; at = head.indexOf('\n', at + 1)) found += 1
  if (found !== lines) throw new TypeError('A line break in a request')
}

/** The fields that say where the body ends, and the empty line. */
export function framing(method: string, bytes: number | undefined): string {
  if (bytes === undefined) return 'transfer-encoding: chunked\r\n\r\n'
  // Of a method that has no body otherwise, a length of nothing says nothing (RFC 9110 §8.6).
  return bytes > 0 || hasContent(method) ? `content-length: ${bytes}\r\n\r\n` : '\r\n'
}

function hasContent(method: string): boolean {
  return method === 'POST' || method === 'PUT' || method === 'PATCH' || method === 'QUERY'
}
