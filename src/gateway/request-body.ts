import { Readable } from 'node:stream'
import { GatewayError } from '../errors/gateway-error.ts'
import type { Incoming, Outgoing } from './message.ts'
import { listOf } from './raw-fields.ts'

/** Bounds on a request's body while it streams. */
export type BodyLimits = {
  readonly maxBodyBytes: number
  /** How long the client may send nothing while more of the body is awaited. */
  readonly idleTimeoutMs: number
  /** The least that it must send meanwhile, where the body is not at its end before. */
  readonly minBytesPerSecond: number
}

/**
 * A request's body as a stream of its own, counted and timed while it passes.
 *
 * The connection to the client outlives this stream: destroying it stops reading and leaves the
 * socket alone, so that the refusal can still be sent. Nothing is read, and `100 Continue` is not
 * sent, before the upstream asks for the first byte.
 *
 * Fails with {GatewayError} BODY_TOO_LARGE, REQUEST_TIMEOUT or REQUEST_MALFORMED.
 */
export function requestBody(incoming: Incoming, outgoing: Outgoing, limits: BodyLimits): Readable {
  let started = false
  let received = 0
  const minBytes = (limits.minBytesPerSecond * limits.idleTimeoutMs) / 1_000
  /** What must have been received for the client to be given another span of time. */
  let enough = minBytes
  const body = new Readable({
    read() {
      if (!started) start()
      // While the upstream took nothing, the client could not send.
      else if (incoming.isPaused()) idle.refresh()
      incoming.resume()
    },
    destroy(error, callback) {
      if (started) stop()
      callback(error)
    },
  })
  const idle = setTimeout(onIdle, limits.idleTimeoutMs)

  function start(): void {
    started = true
    idle.refresh()
    if (expectsContinue(incoming)) outgoing.writeContinue()
    incoming.on('data', onData).once('end', onEnd).once('close', onClose)
  }

  function stop(): void {
    clearTimeout(idle)
    incoming.off('data', onData).off('end', onEnd).off('close', onClose)
    incoming.pause()
  }

  function onData(chunk: Buffer): void {
    received += chunk.length
    if (received >= enough) {
      enough = received + minBytes
      idle.refresh()
    }
    if (received > limits.maxBodyBytes) body.destroy(new GatewayError('BODY_TOO_LARGE'))
    else if (!body.push(chunk)) incoming.pause()
  }

  function onEnd(): void {
    clearTimeout(idle)
    // It came whole; that it closes now says nothing about a reader who has not read on yet.
    incoming.off('close', onClose)
    body.push(null)
  }

  /** Closed before its end: the client went away, or its framing broke. */
  function onClose(): void {
    body.destroy(new GatewayError('REQUEST_MALFORMED'))
  }

  /** While the upstream applies back-pressure, the client is not the one who is idle. */
  function onIdle(): void {
    // Whoever was to read it may have had no use for it.
    if (outgoing.closed) body.destroy()
    else if (!started || incoming.isPaused()) idle.refresh()
    else body.destroy(new GatewayError('REQUEST_TIMEOUT'))
  }

  body.once('close', () => {
    clearTimeout(idle)
  })
  return body
}

/**
 * Whether the client waits for `100 Continue` before it sends its body. One of HTTP/1.0 cannot, and
 * would take it for the answer (RFC 9110 §10.1.1).
 */
export function expectsContinue({
  rawHeaders,
  httpVersion,
}: Pick<Incoming, 'rawHeaders' | 'httpVersion'>): boolean {
  return listOf(rawHeaders, 'expect')?.toLowerCase() === '100-continue' && httpVersion !== '1.0'
}
