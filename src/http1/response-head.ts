import { InvalidResponse } from './failures.ts'
import { fieldLines, readFields } from './field-lines.ts'

/** Where the body of an answer ends (RFC 9112 §6.3). */
export type ResponseFraming =
  | { readonly kind: 'none' }
  | { readonly kind: 'sized'; readonly bytes: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'until-close' }

/** An answer's head; text is latin1, which keeps every byte. */
export type ResponseHead = {
  readonly status: number
  readonly reason: string
  /** Field names and values in turn, as received, without the white space around values. */
  readonly rawFields: string[]
  readonly framing: ResponseFraming
  /** How long the connection may rest before another request, where it says so itself; 0: not at all. */
  readonly restMs: number | undefined
}

/**
 * Read the head of an answer. Nothing is guessed: lines end with CR LF, a field is a token, a colon and
 * a value, and neither is folded (RFC 9112 §2.2, §5). What the reason phrase is made of does not count.
 *
 * @param text status line and field lines, each with its CR LF
 * @param method of the request
 * @throws {InvalidResponse}
 */
export function readResponseHead(text: string, method: string): ResponseHead {
  if (!soundHead.test(text)) throw new InvalidResponse('head')
  const endOfLine = text.indexOf('\r\n')
  const status = Number(text.slice(9, 12))
  const rawFields = readFields(text, endOfLine + 2, text.length)
  const said: Said = { length: undefined, coding: undefined, connection: '', keepAlive: '' }
  for (let index = 0; index < rawFields.length; index += 2) {
    note(said, rawFields[index] ?? '', rawFields[index + 1] ?? '')
  }
  const isOld = text.charCodeAt(7) === zero
  return {
    status,
    reason: text.slice(13, endOfLine),
    rawFields,
    framing: framingOf(said, status, method, isOld),
    restMs: restOf(said, status, method, isOld),
  }
}

/** Trailer fields, names and values in turn (RFC 9112 §7.1.2). @throws {InvalidResponse} */
export function readTrailers(text: string): string[] {
  if (!soundFields.test(text)) throw new InvalidResponse('trailers')
  return readFields(text, 0, text.length)
}

const soundFields = new RegExp(`^${fieldLines}$`)
const soundHead = new RegExp(String.raw`^HTTP/1\.[01] [1-9]\d\d(?: [^\r\n]*)?\r\n${fieldLines}$`)

const zero = 0x30

/** What a head says of its connection and of its body's end. */
type Said = {
  length: string | undefined
  coding: string | undefined
  connection: string
  keepAlive: string
}

function note(said: Said, name: string, value: string): void {
  // Nearly all names are of other lengths.
  if (name.length === 10) {
    const lower = name.toLowerCase()
    if (lower === 'connection') said.connection += `,${value}`
    else if (lower === 'keep-alive') said.keepAlive = value
  } else if (name.length === 14 && name.toLowerCase() === 'content-length') {
    // Said twice, even alike, it is not said what it is (RFC 9112 §6.3).
    if (said.length !== undefined) throw new InvalidResponse('content length')
    said.length = value
  } else if (name.length === 17 && name.toLowerCase() === 'transfer-encoding') {
    said.coding = said.coding === undefined ? value : `${said.coding},${value}`
  }
}

function framingOf(
  { length, coding }: Said,
  status: number,
  method: string,
  isOld: boolean,
): ResponseFraming {
  const isSized = length !== undefined
  if (coding !== undefined) {
    // Whatever is not plain chunking leaves the end of the body to interpretation (RFC 9112 §6.1).
    if (isOld || coding.toLowerCase() !== 'chunked') throw new InvalidResponse('transfer coding')
    if (isSized) throw new InvalidResponse('content length beside transfer coding')
  }
  if (isSized && !/^\d{1,15}$/.test(length)) throw new InvalidResponse('content length')
  if (hasNoBody(status, method)) return none
  if (coding !== undefined) return chunked
  return isSized ? { kind: 'sized', bytes: Number(length) } : untilClose
}

function hasNoBody(status: number, method: string): boolean {
  return method === 'HEAD' || status < 200 || status === 204 || status === 304
}

const none = { kind: 'none' } as const
const chunked = { kind: 'chunked' } as const
const untilClose = { kind: 'until-close' } as const

/** So much earlier than the other end says that it will, we close: its answer and our request may cross. */
const marginMs = 2_000
const maxRestMs = 600_000

function restOf(
  { connection, keepAlive, length, coding }: Said,
  status: number,
  method: string,
  isOld: boolean,
): number | undefined {
  if (connection !== '' && /(?:^|,)[\t ]*close[\t ]*(?:,|$)/i.test(connection)) return 0
  if (isOld && !/(?:^|,)[\t ]*keep-alive[\t ]*(?:,|$)/i.test(connection)) return 0
  // Where no body may be, servers that mean well send one all the same, and it would be the next answer.
  if (hasNoBody(status, method) && status >= 200) {
    if (method === 'HEAD' || coding !== undefined || (length ?? '0') !== '0') return 0
  }
  const seconds = keepAlive === '' ? undefined : /\btimeout=(\d{1,9})\b/i.exec(keepAlive)?.[1]
  if (seconds === undefined) return undefined
  return Math.min(Math.max(Number(seconds) * 1_000 - marginMs, 0), maxRestMs)
}
