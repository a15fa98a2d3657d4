import type { Duplex } from 'node:stream'
import type { GatewayError } from '../errors/gateway-error.ts'
import { errorPagePath } from '../errors/page.ts'
import { renderError, type ErrorProfile } from '../errors/profile.ts'
import type { LimitState } from '../limits/admission.ts'
import { createTimestamp } from '../telemetry/timestamp.ts'
import { endTogether } from './end-together.ts'
import { headText } from './head-text.ts'
import type { BodyFraming } from './ingress.ts'
import type { Incoming, Outgoing } from './message.ts'
import { expectsContinue } from './request-body.ts'
import { addOwn } from './response-fields.ts'

/** What an error answer needs beside the error. */
export type Refusal = {
  readonly error: GatewayError
  readonly profile: ErrorProfile
  readonly requestId: string
  /** The path that the error is about, as far as it is known. */
  readonly path: string
  readonly limit: LimitState | undefined
  /** What callers are told of the operation's end. */
  readonly notices: readonly string[]
  /** Origin under which the error pages are served. */
  readonly publicOrigin: string
}

/** A whole response that is made here: status, field names and values in turn, body. */
export type Answer = {
  readonly status: number
  readonly fields: readonly string[]
  readonly body: Buffer | string
  /** How long the connection is kept for another request, where that is not what the server says. */
  readonly restMs?: number | undefined
}

/** Longest body that is read to its end after the answer, so that the connection can be used on. */
const maxDrainedBytes = 65_536

/** How long, and how much, a client may go on sending a body that was refused. */
export const lingerMs = 1_000
const maxLingerBytes = 1_048_576

const timestamp = createTimestamp(Date.now)

/** The answer to a refused or failed request, in the shape of its profile. */
export function errorAnswer(refusal: Refusal): Answer {
  const { error, profile, requestId, path, publicOrigin } = refusal
  const body = renderError(profile, {
    error,
    requestId,
    path,
    timestamp: timestamp(),
    docUrl: publicOrigin + errorPagePath(error.code),
  })
  return { status: error.status, fields: errorFields(refusal), body }
}

function errorFields({ error, profile, requestId, limit, notices }: Refusal): string[] {
  // Kafka REST clients know no limit fields; its reference says that none are sent.
  const silent = profile === 'kafka-rest' && error.status === 429
  const fields = ['Content-Type', 'application/json', 'Cache-Control', 'no-store']
  if (profile === 'oauth') fields.push('Pragma', 'no-cache')
  fields.push('X-Content-Type-Options', 'nosniff')
  for (const [name, value] of Object.entries(error.headers)) {
    if (silent && name === 'Retry-After') continue
    for (const each of typeof value === 'string' ? [value] : value) fields.push(name, each)
  }
  const described = silent ? undefined : limit
  addOwn(fields, { requestId, limit: described, notices, authenticated: false })
  if (error.retryAfterSeconds !== undefined && !silent) {
    fields.push('Retry-After', String(error.retryAfterSeconds))
  }
  return fields
}

/**
 * Send an answer made here. Where the request's body has not been read, it is read to its end if it
 * is short; otherwise the connection closes, so that the rest is never taken for a request.
 */
export function send(
  incoming: Incoming,
  outgoing: Outgoing,
  body: BodyFraming | undefined,
  answer: Answer,
): void {
  if (outgoing.headersSent || outgoing.destroyed) {
    outgoing.destroy()
    return
  }
  const { body: content } = answer
  const length = Buffer.byteLength(content)
  const closing = mustClose(incoming, body, answer.status)
  const fields = [...answer.fields]
  // Of a 304 it would be the length of what is not sent (RFC 9110 §8.6).
  if (answer.status !== 304) fields.push('Content-Length', String(length))
  if (closing) {
    fields.push('Connection', 'close')
    // Node does not conclude it from the field, and the server asks.
    outgoing.shouldKeepAlive = false
  } else if (answer.restMs !== undefined && outgoing.shouldKeepAlive) {
    const seconds = Math.floor(answer.restMs / 1_000)
    fields.push('Connection', 'keep-alive', 'Keep-Alive', `timeout=${seconds}`)
  }
  outgoing.writeHead(answer.status, fields)
  // A request without a body is closed before its parser calls it complete.
  if (!closing || incoming.complete || incoming.closed) {
    // Node joins a head and such a string into one write; a head and bytes are two pieces of one.
    if (typeof content === 'string' && content.length === length) endTogether(outgoing, content)
    else outgoing.end(bytesOf(content))
    return
  }
  outgoing.write(bytesOf(content))
  linger(incoming, outgoing)
}

function bytesOf(content: Answer['body']): Buffer {
  return typeof content === 'string' ? Buffer.from(content) : content
}

function mustClose(incoming: Incoming, body: BodyFraming | undefined, status: number): boolean {
  if (body === undefined) return true
  if (incoming.complete || body.kind === 'none') return false
  // What did not come in time is not waited for again (RFC 9110 §15.5.9).
  if (expectsContinue(incoming) || status === 408) return true
  return body.kind === 'chunked' || body.bytes > maxDrainedBytes
}

/**
 * Go on reading for a moment before closing: a connection closed on unread bytes is reset, and the
 * client would lose the answer (RFC 9112 §9.6). After a bound on bytes nothing more is read, so
 * that a refused body costs no bandwidth; the client can still read the answer until the time is up.
 */
function linger(incoming: Incoming, outgoing: Outgoing): void {
  let bytes = 0
  const timer = setTimeout(close, lingerMs)
  function onData(chunk: Buffer): void {
    bytes += chunk.length
    if (bytes > maxLingerBytes) incoming.pause()
  }
  function close(): void {
    clearTimeout(timer)
    incoming.off('data', onData).off('end', close).off('close', close)
    outgoing.end(() => {
      incoming.socket.destroySoon()
    })
  }
  incoming.on('data', onData).once('end', close).once('close', close).resume()
}

/**
 * Answer on a connection whose request Node's parser could not read, or will not hand over, and
 * close it.
 */
export function sendRaw(socket: Duplex, answer: Answer): void {
  if (!socket.writable) {
    socket.destroy()
    return
  }
  const { status, fields, body } = answer
  const facts = { status, reason: undefined, hasBody: true, isKept: false, keepAlive: '' }
  const length = ['Content-Length', String(Buffer.byteLength(body))]
  socket.write(headText(facts, fields, length).text, 'latin1')
  socket.write(body)
  closeGently(socket)
}

/** End a connection: whatever still arrives is thrown away, and a peer that does not close is closed. */
export function closeGently(socket: Duplex): void {
  socket.end()
  socket.resume()
  const timer = setTimeout(() => socket.destroy(), lingerMs)
  socket.once('close', () => {
    clearTimeout(timer)
  })
}
