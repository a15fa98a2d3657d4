import {
  constants,
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import type { TLSSocket } from 'node:tls'
import { GatewayError } from '../errors/gateway-error.ts'
import type { Exchange } from './exchange.ts'
import { headOfHttp2 } from './http2-head.ts'
import { Http2Incoming, Http2Outgoing } from './http2-message.ts'
import type { RawHead } from './ingress.ts'
import type { Listener } from './listener.ts'
import { expectsContinue } from './request-body.ts'
import type { ServerLimits } from './server-limits.ts'

/** Connections that were agreed to speak HTTP/2. */
export type Http2Sessions = {
  accept(socket: TLSSocket): void
  /** Let each connection know that it takes no more requests, and close it when those it has end. */
  retire(): void
  /** Cut what is left. */
  destroy(): void
}

type Parts = {
  readonly limits: ServerLimits
  readonly listener: Listener
  /** Fields that every answer has, as names and values in turn. */
  readonly always: readonly string[]
  /** Told of each request that has come into the chain. */
  readonly entered: (exchange: Exchange) => void
}

/** Requests that a client may have under way on one connection. */
const maxConcurrentStreams = 100

/**
 * Streams that a client may reset at once, and how many more a second after that: who asks and
 * takes back has us work for nothing (CVE-2023-44487).
 */
const resets = { streamResetBurst: 200, streamResetRate: 33 }

/** PING and SETTINGS frames a second that are answered; each costs its sender nothing. */
const maxControlFrames = 1_000

/** Above every stream that there can be: those that are on their way to us are served still. */
const lastOfAllStreams = 2 ** 31 - 1

/** How long a peer has to say that it knows of the end, and to close. */
const farewellMs = 1_000

/**
 * HTTP/2 on connections whose TLS agreed on it: each stream goes through the listener as a request
 * of HTTP/1.1 does. Whatever is no HTTP/2 is answered by the library, with a reset or the connection's end.
 */
export function createHttp2Sessions(parts: Parts): Http2Sessions {
  const { limits } = parts
  const sessions = new Map<ServerHttp2Session, () => void>()
  let isRetiring = false

  const server = createServer({
    ...resets,
    settings: {
      maxConcurrentStreams,
      // The library resets what is larger; up to twice of what we take there is an answer.
      maxHeaderListSize: limits.maxHeaderBytes * 2,
      enableConnectProtocol: false,
    },
    maxHeaderListPairs: limits.maxHeaderFields * 2,
    maxSessionInvalidFrames: 100,
    maxSessionRejectedStreams: 100,
    // An upstream may send twice what should stand once; it is not for us to fail on it.
    strictSingleValueFields: false,
  })
  server.on('session', (session) => {
    const retire = serve(session, parts, () => isRetiring)
    sessions.set(session, retire)
    session.once('close', () => sessions.delete(session))
  })

  return {
    accept: (socket) => server.emit('connection', socket),
    retire() {
      isRetiring = true
      for (const retire of sessions.values()) retire()
    },
    destroy() {
      for (const session of sessions.keys()) session.destroy()
    },
  }
}

/** @returns what ends the connection without cutting a request */
function serve(session: ServerHttp2Session, parts: Parts, isRetiring: () => boolean): () => void {
  const { limits } = parts
  const { remoteAddress } = session.socket
  const end = (): void => {
    session.destroy()
  }
  const socket = {
    remoteAddress,
    destroy: end,
    destroySoon: end,
  } as unknown as Http2Incoming['socket']
  let streams = 0
  let open = 0
  let isEnding = false
  /** As on HTTP/1.1, who has only been refused may rest for as long as a head may take. */
  let isKnown = false
  // Whoever connects is to say what for; afterwards it may rest for as long as on HTTP/1.1.
  let idle = setTimeout(end, limits.headersTimeoutMs)

  function retire(): void {
    if (isEnding || session.destroyed) return
    isEnding = true
    // Requests that crossed this on their way are served; who has seen it sends no more.
    session.goaway(constants.NGHTTP2_NO_ERROR, lastOfAllStreams)
    const close = (): void => {
      clearTimeout(timer)
      if (!session.closed) session.close()
    }
    const timer = setTimeout(close, farewellMs)
    session.once('close', close)
    session.ping(close)
  }

  session.on('stream', (stream, headers, flags, rawHeaders) => {
    clearTimeout(idle)
    streams += 1
    open += 1
    stream.once('close', () => {
      open -= 1
      isKnown ||= exchange?.notes.authentication !== undefined
      const restMs = isKnown ? limits.keepAliveTimeoutMs : limits.headersTimeoutMs
      if (open === 0 && !session.destroyed) idle = setTimeout(retire, restMs)
    })
    // Whoever takes nothing of what is there is not waited for; an upstream may take its time.
    stream.setTimeout(limits.idleTimeoutMs)
    stream.on('timeout', () => {
      if (stream.writableLength > 0) stream.close(constants.NGHTTP2_CANCEL)
    })
    const endsHere = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0
    const exchange = handle(stream, { headers, rawHeaders, endsHere }, socket, parts)
    if (isRetiring() || streams >= limits.maxRequestsPerConnection) retire()
  })
  boundControlFrames(session)
  session.once('close', () => {
    clearTimeout(idle)
  })
  return retire
}

type StreamHead = {
  readonly headers: IncomingHttpHeaders
  readonly rawHeaders: readonly string[]
  readonly endsHere: boolean
}

function handle(
  stream: ServerHttp2Stream,
  { headers, rawHeaders, endsHere }: StreamHead,
  socket: Http2Incoming['socket'],
  { limits, listener, always, entered }: Parts,
): Exchange | undefined {
  const method = headers[':method'] ?? ''
  const outgoing = new Http2Outgoing(stream, method, always)
  let head: RawHead = { method, url: headers[':path'] ?? '', httpVersion: '2.0', rawHeaders: [] }
  let malformed: unknown
  try {
    head = headOfHttp2(rawHeaders, endsHere, limits.maxHeaderBytes)
  } catch (error) {
    malformed = error
  }
  const incoming = new Http2Incoming(stream, head, socket)
  if (malformed !== undefined) {
    listener.refuse(incoming, outgoing, malformed)
  } else if (headers.expect !== undefined && !expectsContinue(incoming)) {
    listener.refuse(incoming, outgoing, new GatewayError('EXPECTATION_FAILED'))
  } else {
    const exchange = listener.handle(incoming, outgoing)
    if (exchange !== undefined) entered(exchange)
    return exchange
  }
  return undefined
}

/** Cut who sends frames that ask for an acknowledgement and carry nothing (CVE-2019-9512, -9515). */
function boundControlFrames(session: ServerHttp2Session): void {
  let sinceMs = performance.now()
  let frames = 0
  const count = (): void => {
    const nowMs = performance.now()
    if (nowMs - sinceMs > 1_000) {
      sinceMs = nowMs
      frames = 0
    }
    frames += 1
    if (frames > maxControlFrames) session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM)
  }
  session.on('ping', count)
  session.on('remoteSettings', count)
}
