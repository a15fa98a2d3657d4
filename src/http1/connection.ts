import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls, type SecureContext } from 'node:tls'
import { writeBody, type BodyWriter } from './body-writer.ts'
import { ChunkedBody } from './chunked-body.ts'
import type { ResponseControl, ResponseHandler, UpstreamRequest } from './exchange.ts'
import { ConnectionFailure, InvalidResponse, type ConnectionFailureCode } from './failures.ts'
import { framing as framingFields, requestHead } from './request-head.ts'
import { readResponseHead, type ResponseHead } from './response-head.ts'

/** The other end, and how it is reached. */
export type Origin = {
  readonly hostname: string
  readonly port: number
  /** Value of the Host field. */
  readonly host: string
  /** Undefined: plain TCP. */
  readonly tls: TlsClient | undefined
}

export type TlsClient = {
  readonly context: SecureContext
  /** The last session that the other end offered, by which the next connection costs less. */
  session: Buffer | undefined
}

/** Milliseconds. */
export type Deadlines = {
  /** For the connection, TLS included. */
  readonly connectMs: number
  /** From the sent request to the head of the answer. */
  readonly headMs: number
  /** Between two pieces of the answer's body. */
  readonly bodyMs: number
  /** How long a connection rests, where the other end says nothing of it. */
  readonly restMs: number
}

/** What a connection tells its owner. */
export type ConnectionEvents = {
  /** The answer has come whole, and the connection can take another request. */
  onRest(connection: Connection): void
  /** It is of no use any more; called once. */
  onClosed(connection: Connection): void
}

const maxHeadBytes = 32_768

/** A body up to this length is handed over whole, where it came with its head. */
const maxWholeBytes = 16_384

/** What every connection reads into: each piece is dealt with before another is read. */
const readBuffer = Buffer.allocUnsafeSlow(65_536)

/**
 * A connection that carries one request at a time.
 *
 * Whatever arrives before a request has begun to leave, or behind the end of an answer, closes it: it
 * would be taken for the answer to somebody else's request.
 */
export class Connection implements ResponseControl {
  readonly #origin: Origin
  readonly #deadlines: Deadlines
  readonly #events: ConnectionEvents
  readonly #socket: Socket
  #isClosed = false
  #request: UpstreamRequest | undefined
  #handler: ResponseHandler | undefined
  #writer: BodyWriter | undefined
  #isSent = false
  /** What has come of a head that is not whole. */
  #headText = ''
  #head: ResponseHead | undefined
  /** Bytes of a sized body that are still to come. */
  #left = 0
  #chunked: ChunkedBody | undefined
  /** What came out of the chunks of one read. */
  #pieces: Buffer[] = []
  #isPaused = false
  #deadline = Infinity
  #deadlineCode: ConnectionFailureCode | undefined
  #timer: NodeJS.Timeout | undefined
  #timerAt = Infinity

  /** Opens a connection for a request, which leaves as soon as it is open. */
  constructor(
    origin: Origin,
    deadlines: Deadlines,
    events: ConnectionEvents,
    first: { readonly request: UpstreamRequest; readonly handler: ResponseHandler },
  ) {
    this.#origin = origin
    this.#deadlines = deadlines
    this.#events = events
    this.#request = first.request
    this.#handler = first.handler
    this.#socket = open(origin, (count, bytes) => this.#onRead(count, bytes))
    this.#socket.once(origin.tls === undefined ? 'connect' : 'secureConnect', () => {
      this.#onOpen()
    })
    this.#socket.on('end', () => {
      this.#onEnd()
    })
    this.#socket.on('error', (error) => {
      this.#fail(error)
    })
    this.#socket.on('close', () => {
      this.#fail(closedByPeer())
    })
    this.#expect('CONNECT_TIMEOUT', deadlines.connectMs)
  }

  /** Send a request on a connection that rests. */
  send(request: UpstreamRequest, handler: ResponseHandler): void {
    this.#request = request
    this.#handler = handler
    this.#start(request, handler)
  }

  abort(reason: Error): void {
    this.#fail(reason)
  }

  pause(): void {
    this.#isPaused = true
    this.#socket.pause()
    this.#deadline = Infinity
  }

  resume(): void {
    if (!this.#isPaused || this.#isClosed) return
    this.#isPaused = false
    this.#expect('BODY_TIMEOUT', this.#deadlines.bodyMs)
    this.#socket.resume()
  }

  /** Close a connection that rests. */
  close(): void {
    this.#close()
  }

  #onOpen(): void {
    const [request, handler] = [this.#request, this.#handler]
    if (request === undefined || handler === undefined) return
    if (handler.isGone) {
      discard(request)
      this.#rest(undefined)
    } else {
      this.#start(request, handler)
    }
  }

  #start(request: UpstreamRequest, handler: ResponseHandler): void {
    try {
      handler.onRequestStart(this)
      if (this.#handler !== handler) return
      this.#expect('HEAD_TIMEOUT', this.#deadlines.headMs)
      this.#write(request)
    } catch (error) {
      this.#fail(error)
    }
  }

  #write(request: UpstreamRequest): void {
    const { method, body } = request
    const head = requestHead(request, this.#origin.host)
    if (body?.kind !== 'stream') {
      this.#isSent = true
      const text = head + framingFields(method, body?.bytes.length ?? 0)
      if (body === undefined) {
        this.#socket.write(text, 'latin1')
        return
      }
      this.#socket.cork()
      this.#socket.write(text, 'latin1')
      this.#socket.write(body.bytes)
      this.#socket.uncork()
      return
    }
    const { stream, bytes } = body
    this.#writer = writeBody(this.#socket, {
      method,
      head,
      stream,
      bytes,
      onDrain: () => {
        this.#expectHead()
      },
      onSent: () => {
        this.#isSent = true
        this.#expectHead()
      },
      onError: (error) => {
        this.#fail(error)
      },
    })
  }

  /** Where the other end reads a long body slowly, there is time for the head after each step. */
  #expectHead(): void {
    if (this.#head === undefined) this.#expect('HEAD_TIMEOUT', this.#deadlines.headMs)
  }

  /** @returns whether more may be read */
  #onRead(count: number, bytes: Buffer): boolean {
    const handler = this.#handler
    const isAsked = this.#isSent || this.#writer?.hasBegun === true
    if (handler === undefined || !isAsked) {
      this.#fail(new InvalidResponse('an answer to no request'))
      return false
    }
    try {
      this.#take(handler, bytes.subarray(0, count))
    } catch (error) {
      this.#fail(error)
    }
    return !this.#isPaused && !this.#isClosed
  }

  #take(handler: ResponseHandler, bytes: Buffer): void {
    const at = this.#head === undefined ? this.#takeHead(handler, bytes) : 0
    const head = this.#head
    if (head === undefined || this.#handler !== handler) return
    this.#takeBody(handler, head, at === 0 ? bytes : bytes.subarray(at), at > 0)
  }

  /** @returns where the body begins, once there is a head */
  #takeHead(handler: ResponseHandler, bytes: Buffer): number {
    const before = this.#headText.length
    let text = this.#headText + bytes.toString('latin1')
    let taken = 0
    for (;;) {
      const end = text.indexOf('\r\n\r\n')
      if (end > maxHeadBytes || (end === -1 && text.length > maxHeadBytes)) {
        throw new InvalidResponse('long head')
      }
      if (end === -1) {
        this.#headText = text
        return 0
      }
      const head = readResponseHead(text.slice(0, end + 2), this.#request?.method ?? '')
      taken += end + 4
      text = text.slice(end + 4)
      if (head.status >= 200) {
        this.#begin(handler, head)
        if (this.#handler === handler && isWhole(head, text)) {
          handler.onResponseWhole(text)
          this.#finish(handler, head, [])
        }
        return taken - before
      }
      // Who says that it is still at work is given time again; how often, the handler decides.
      this.#expect('HEAD_TIMEOUT', this.#deadlines.headMs)
      handler.onResponseStart(head.status, head.reason, head.rawFields)
      if (this.#handler !== handler) return 0
    }
  }

  #begin(handler: ResponseHandler, head: ResponseHead): void {
    this.#headText = ''
    this.#head = head
    this.#left = head.framing.kind === 'sized' ? head.framing.bytes : 0
    if (head.framing.kind === 'chunked') {
      this.#chunked = new ChunkedBody((piece) => this.#pieces.push(piece))
    }
    this.#expect('BODY_TIMEOUT', this.#deadlines.bodyMs)
    handler.onResponseStart(head.status, head.reason, head.rawFields)
  }

  #takeBody(
    handler: ResponseHandler,
    head: ResponseHead,
    bytes: Buffer,
    cameWithHead: boolean,
  ): void {
    if (!this.#isPaused) this.#expect('BODY_TIMEOUT', this.#deadlines.bodyMs)
    const taken =
      this.#chunked === undefined
        ? this.#takePiece(handler, head, bytes)
        : this.#takeChunks(handler, this.#chunked, bytes, cameWithHead)
    if (this.#handler !== handler) return
    const isAtEnd =
      this.#chunked?.isAtEnd ?? (head.framing.kind !== 'until-close' && this.#left === 0)
    if (!isAtEnd) return
    const isAll = taken === bytes.length
    this.#finish(handler, isAll ? head : { ...head, restMs: 0 }, this.#chunked?.trailers ?? [])
  }

  /** @returns how many of the bytes belong to the body */
  #takeChunks(
    handler: ResponseHandler,
    chunked: ChunkedBody,
    bytes: Buffer,
    cameWithHead: boolean,
  ): number {
    const taken = chunked.push(bytes)
    const pieces = this.#pieces
    this.#pieces = []
    const isShort = pieces.length > 0 && bytes.length <= maxWholeBytes
    if (cameWithHead && isShort && chunked.isAtEnd && chunked.trailers.length === 0) {
      handler.onResponseWhole(pieces.map((piece) => piece.toString('latin1')).join(''))
      return taken
    }
    for (const piece of pieces) {
      // Whoever hears one may give up the others.
      if (this.#handler === handler) handler.onResponseData(Buffer.from(piece))
    }
    return taken
  }

  /** @returns as above */
  #takePiece(handler: ResponseHandler, { framing: { kind } }: ResponseHead, bytes: Buffer): number {
    const count = kind === 'until-close' ? bytes.length : Math.min(this.#left, bytes.length)
    if (kind === 'sized') this.#left -= count
    // What was read into is read into again.
    if (count > 0) handler.onResponseData(Buffer.from(bytes.subarray(0, count)))
    return count
  }

  #finish(handler: ResponseHandler, head: ResponseHead, trailers: readonly string[]): void {
    if (this.#handler !== handler) return
    handler.onResponseEnd(trailers)
    // Cut by whoever heard the end, it must not rest.
    if (this.#isClosed) return
    this.#handler = undefined
    // It answered before it had read all of the request; the rest would be taken for another one.
    this.#writer?.cancel()
    const canRest = head.restMs !== 0 && head.framing.kind !== 'until-close' && this.#isSent
    if (canRest) this.#rest(head.restMs)
    else this.#close()
  }

  #rest(restMs: number | undefined): void {
    this.#handler = undefined
    this.#request = undefined
    this.#writer = undefined
    this.#isSent = false
    this.#head = undefined
    this.#chunked = undefined
    if (this.#isPaused) {
      this.#isPaused = false
      this.#socket.resume()
    }
    this.#expect(undefined, restMs ?? this.#deadlines.restMs)
    this.#events.onRest(this)
  }

  /** The other end says no more: the end of an answer that ends so, and a failure of any other. */
  #onEnd(): void {
    const [head, handler] = [this.#head, this.#handler]
    if (head?.framing.kind === 'until-close' && handler !== undefined) {
      try {
        this.#finish(handler, head, [])
      } catch (error) {
        this.#fail(error)
      }
    } else {
      this.#fail(closedByPeer())
    }
  }

  #fail(error: unknown): void {
    const [handler, request] = [this.#handler, this.#request]
    this.#handler = undefined
    this.#request = undefined
    if (this.#writer !== undefined) this.#writer.cancel()
    else if (request !== undefined) discard(request)
    this.#close()
    handler?.onResponseError(error)
  }

  #close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#socket.destroy()
    this.#events.onClosed(this)
  }

  /**
   * One timer serves all deadlines of a connection: it is set anew where a deadline comes before it, and
   * otherwise looks, when it goes off, what is due by then.
   */
  #expect(code: ConnectionFailureCode | undefined, withinMs: number): void {
    this.#deadlineCode = code
    this.#deadline = performance.now() + withinMs
    if (this.#deadline >= this.#timerAt) return
    clearTimeout(this.#timer)
    this.#setTimer(withinMs)
  }

  #setTimer(withinMs: number): void {
    this.#timerAt = performance.now() + withinMs
    this.#timer = setTimeout(this.#onTimer, withinMs).unref()
  }

  readonly #onTimer = (): void => {
    this.#timerAt = Infinity
    if (this.#deadline === Infinity || this.#isClosed) return
    const leftMs = this.#deadline - performance.now()
    if (leftMs > 0.5) this.#setTimer(leftMs)
    else this.#onDeadline()
  }

  #onDeadline(): void {
    const code = this.#deadlineCode
    // A client that takes its time with its body is not the other end's fault, which takes what comes.
    if (code === 'HEAD_TIMEOUT' && !this.#isSent && !this.#socket.writableNeedDrain) {
      this.#expect('HEAD_TIMEOUT', this.#deadlines.headMs)
    } else if (code === undefined) {
      this.#close()
    } else {
      this.#fail(new ConnectionFailure(code, timeoutMessages[code]))
    }
  }
}

const timeoutMessages: Readonly<Record<ConnectionFailureCode, string>> = {
  CONNECT_TIMEOUT: 'No connection in time',
  HEAD_TIMEOUT: 'No answer in time',
  BODY_TIMEOUT: 'The answer stopped',
  CONNECTION_CLOSED: 'The other side closed the connection',
  POOL_CLOSED: 'The pool is closed',
}

function closedByPeer(): ConnectionFailure {
  return new ConnectionFailure('CONNECTION_CLOSED', timeoutMessages.CONNECTION_CLOSED)
}

/** Whether all of a short body came with its head, and nothing behind it. */
function isWhole({ framing }: ResponseHead, text: string): boolean {
  if (framing.kind !== 'sized' || framing.bytes !== text.length) return false
  return text.length > 0 && text.length <= maxWholeBytes
}

/** A body that nobody reads would wait for ever. */
export function discard({ body }: UpstreamRequest): void {
  if (body?.kind === 'stream') body.stream.destroy()
}

function open(
  { hostname, port, tls }: Origin,
  callback: (count: number, bytes: Buffer) => boolean,
): Socket {
  const options = {
    host: hostname,
    port,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: 60_000,
    onread: { buffer: readBuffer, callback },
  }
  if (tls === undefined) return connectTcp(options)
  const socket = connectTls({
    ...options,
    secureContext: tls.context,
    ALPNProtocols: ['http/1.1'],
    ...(isIP(hostname) === 0 ? { servername: hostname } : {}),
    ...(tls.session === undefined ? {} : { session: tls.session }),
  })
  // Of the options, a connection with TLS takes neither.
  socket.setNoDelay(true).setKeepAlive(true, options.keepAliveInitialDelay)
  socket.on('session', (session) => {
    tls.session = session
  })
  return socket
}
