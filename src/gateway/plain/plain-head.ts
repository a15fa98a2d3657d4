import { fieldLines, readFields } from '../../http1/field-lines.ts'

/** Head of a request, and how long its body is. */
export type PlainHead = {
  readonly method: string
  /** In origin form (RFC 9112 §3.2.1). */
  readonly url: string
  /** Names and values in turn, as received. */
  readonly rawHeaders: readonly string[]
  readonly bodyBytes: number
}

const requestLine = String.raw`(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) \/[\x21-\x7e]* HTTP\/1\.1\r\n`
const whole = new RegExp(`^${requestLine}${fieldLines}\r\n$`)
const begun = new RegExp(
  String.raw`^${requestLine}${fieldLines}(?:[\w-]+(?::[\t\x20-\x7e\x80-\xff]*)?)?\r?$`,
)

/**
 * Read a head of the plainest kind, which every reader of HTTP/1.1 reads alike. Its body, if any, has a
 * length; it names no expectation and no other protocol, and its connection goes on.
 *
 * @param text latin1: the head, with the empty line
 * @returns undefined where it is anything else, sound or not: Node's parser decides about it
 * @see RFC 9112 §2.2, §3, §5, §6.2
 */
export function readPlainHead(text: string): PlainHead | undefined {
  if (!whole.test(text)) return undefined
  const endOfMethod = text.indexOf(' ')
  const endOfLine = text.indexOf('\r\n', endOfMethod)
  const rawHeaders = readFields(text, endOfLine + 2, text.length - 2)
  let length: string | undefined
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    const value = rawHeaders[index + 1] ?? ''
    if (saysMore(name, value)) return undefined
    if (name.length !== 14 || name.toLowerCase() !== 'content-length') continue
    if (length !== undefined || !plainLength.test(value)) return undefined
    length = value
  }
  return {
    method: text.slice(0, endOfMethod),
    url: text.slice(endOfMethod + 1, endOfLine - ' HTTP/1.1'.length),
    rawHeaders,
    bodyBytes: Number(length ?? 0),
  }
}

const plainLength = /^(?:0|[1-9]\d{0,5})$/

/** Whether it may be the beginning of such a head, which goes on. */
export function isPlainSoFar(text: string): boolean {
  return begun.test(text)
}

/** Whether a field says how the message goes on, or what becomes of the connection. */
function saysMore(name: string, value: string): boolean {
  // Nearly all names are of other lengths.
  switch (name.length) {
    case 6:
      return name.toLowerCase() === 'expect'
    case 7:
      return name.toLowerCase() === 'upgrade'
    case 10:
      return name.toLowerCase() === 'connection' && value.toLowerCase() !== 'keep-alive'
    case 16:
      return name.toLowerCase() === 'proxy-connection'
    case 17:
      return name.toLowerCase() === 'transfer-encoding'
    default:
      return false
  }
}
