import { STATUS_CODES } from 'node:http'

/** What of an answer's head decides how its body and its connection end. */
export type HeadText = {
  /** Latin1: the status line and the fields, with the empty line. */
  readonly text: string
  readonly isChunked: boolean
  /** Whether the connection is kept for another request. */
  readonly isKept: boolean
}

type Facts = {
  readonly status: number
  /** Undefined: the usual one. */
  readonly reason: string | undefined
  /** Whether a body may follow (RFC 9110 §6.4.1). */
  readonly hasBody: boolean
  readonly isKept: boolean
  /** What is said of a connection that is kept, as a field value. */
  readonly keepAlive: string
}

/**
 * The head of an answer of HTTP/1.1, as Node's server would write it: the fields as given, then Date,
 * and what is said of the connection and of the body's end where the fields do not say it.
 *
 * @param given names and values in turn
 * @throws {TypeError} where a name, a value or the reason would end its line
 * @see RFC 9112 §4, §6
 */
export function headText(facts: Facts, ...given: readonly (readonly string[])[]): HeadText {
  const { status, reason = STATUS_CODES[status] ?? 'unknown', hasBody } = facts
  if (unsound.test(reason)) throw new TypeError('Invalid reason phrase')
  const said: Said = { connection: undefined, isSized: false, isDated: false, isTimed: false }
  let text = `HTTP/1.1 ${status} ${reason}\r\n`
  for (const fields of given) {
    for (let index = 0; index < fields.length; index += 2) {
      const name = fields[index] ?? ''
      const value = fields[index + 1] ?? ''
      note(said, name, value)
      text += fieldLine(name, value)
    }
  }
  if (!said.isDated) text += `Date: ${date()}\r\n`
  const isKept = facts.isKept && said.connection !== 'close'
  if (said.connection === undefined)
    text += isKept ? 'Connection: keep-alive\r\n' : 'Connection: close\r\n'
  if (isKept && !said.isTimed) text += `Keep-Alive: ${facts.keepAlive}\r\n`
  const isChunked = hasBody && !said.isSized
  text += isChunked ? 'Transfer-Encoding: chunked\r\n\r\n' : '\r\n'
  return { text, isChunked, isKept }
}

/** Trailer fields as text, with the chunk that ends a body. @throws {TypeError} */
export function lastChunk(trailers: readonly (readonly [string, string])[]): string {
  let text = '0\r\n'
  for (const [name, value] of trailers) {
    text += fieldLine(name, value)
  }
  return `${text}\r\n`
}

function fieldLine(name: string, value: string): string {
  const line = `${name}: ${value}\r\n`
  if (!soundLine.test(line)) throw new TypeError('Invalid header field')
  return line
}

const soundLine = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\t\x20-\x7e\x80-\xff]*\r\n$/
const unsound = /[^\t\x20-\x7e\x80-\xff]/

type Said = {
  connection: string | undefined
  isSized: boolean
  isDated: boolean
  isTimed: boolean
}

function note(said: Said, name: string, value: string): void {
  // Nearly all names are of other lengths.
  if (name.length === 4) said.isDated ||= name.toLowerCase() === 'date'
  else if (name.length === 14) said.isSized ||= name.toLowerCase() === 'content-length'
  else if (name.length === 10) {
    const lower = name.toLowerCase()
    if (lower === 'connection') said.connection = value.toLowerCase()
    else if (lower === 'keep-alive') said.isTimed = true
  }
}

let dateText = ''
let datedSecond = 0

/** Now, for the Date field (RFC 9110 §5.6.7). */
function date(): string {
  const second = Math.floor(Date.now() / 1_000)
  if (second !== datedSecond) {
    datedSecond = second
    dateText = new Date(second * 1_000).toUTCString()
  }
  return dateText
}
