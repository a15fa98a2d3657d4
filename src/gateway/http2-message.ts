import { constants, type ServerHttp2Stream } from 'node:http2'
import type { RawHead } from './ingress.ts'
import type { Incoming, Outgoing } from './message.ts'

/**
 * The request of a stream of HTTP/2, with the members that the chain uses of Node's own. (Node's
 * compatibility layer loses the second of two fields with one name, and knows no `closed`.)
 */
export class Http2Incoming implements Incoming {
  readonly httpVersion = '2.0'
  /** What a client goes on sending after its answer ends with its stream, and is in nobody's way. */
  readonly complete = true
  readonly method: string
  readonly rawHeaders: string[]
  readonly socket: Incoming['socket']
  url: string
  readonly #stream: ServerHttp2Stream
  #onEnd: (() => void) | undefined

  constructor(
    stream: ServerHttp2Stream,
    { method, url, rawHeaders }: RawHead,
    socket: Incoming['socket'],
  ) {
    this.#stream = stream
    this.method = method
    this.url = url
    this.rawHeaders = rawHeaders as string[]
    this.socket = socket
  }

  get closed(): boolean {
    return this.#stream.closed
  }

  get readableFlowing(): boolean | null {
    return this.#stream.readableFlowing
  }

  isPaused(): boolean {
    return this.#stream.isPaused()
  }

  pause(): void {
    this.#stream.pause()
  }

  resume(): void {
    this.#stream.resume()
  }

  on(event: 'data' | 'end' | 'close', run: (chunk: Buffer) => void): this {
    this.#stream.on(event, run)
    return this
  }

  once(event: 'end' | 'close', run: () => void): this {
    this.#stream.once(event, event === 'end' ? this.#whole(run) : run)
    return this
  }

  off(event: 'data' | 'end' | 'close', run: (chunk: Buffer) => void): this {
    this.#stream.off(event, event === 'end' ? (this.#onEnd ?? run) : run)
    return this
  }

  /** Node ends a request that was reset as if it were whole: half a body would pass for all of it. */
  #whole(run: () => void): () => void {
    this.#onEnd = (): void => {
      if (!this.#stream.aborted) run()
    }
    return this.#onEnd
  }
}

/** The response on a stream of HTTP/2, with the members that the chain uses of Node's own. */
export class Http2Outgoing implements Outgoing {
  statusCode = 200
  /** Means nothing here: a stream ends, its connection goes on. */
  shouldKeepAlive = true
  readonly #stream: ServerHttp2Stream
  readonly #isHead: boolean
  /** Fields that every answer has. */
  readonly #always: readonly string[]
  #trailers: Record<string, string[]> = {}
  #ended = false
  #awaitsTrailers = false

  constructor(stream: ServerHttp2Stream, method: string, always: readonly string[]) {
    this.#stream = stream
    this.#isHead = method === 'HEAD'
    this.#always = always
    // A client that resets its stream is no error of ours; 'close' follows.
    stream.on('error', () => undefined)
    // Node would wait until all that had come before a reset has been read.
    stream.once('aborted', () => {
      process.nextTick(() => stream.destroy())
    })
  }

  get closed(): boolean {
    return this.#stream.closed
  }

  get destroyed(): boolean {
    return this.#stream.destroyed || this.#stream.closed
  }

  get headersSent(): boolean {
    return this.#stream.headersSent
  }

  get writableEnded(): boolean {
    return this.#ended
  }

  /** Node ends the stream of a HEAD request before anything was answered. */
  get writableFinished(): boolean {
    return this.#ended && this.#stream.writableFinished && !this.#stream.aborted
  }

  writeContinue(): void {
    if (!this.destroyed && !this.headersSent) this.#stream.additionalHeaders({ ':status': 100 })
  }

  writeHead(status: number, reason: string | string[], fields?: string[]): void {
    if (this.destroyed) return
    this.statusCode = status
    const sent = [':status', String(status), ...this.#always]
    let isSized = false
    const given = typeof reason === 'string' ? (fields ?? []) : reason
    for (let index = 0; index < given.length; index += 2) {
      const name = (given[index] ?? '').toLowerCase()
      if (isOfHttp1(name)) continue
      isSized ||= name === 'content-length'
      sent.push(name, given[index + 1] ?? '')
    }
    const hasBody = !this.#isHead && status !== 204 && status !== 205 && status !== 304
    this.#awaitsTrailers = hasBody && !isSized
    if (this.#awaitsTrailers) this.#stream.once('wantTrailers', this.#sendTrailers)
    this.#stream.respond(sent, { waitForTrailers: this.#awaitsTrailers, endStream: !hasBody })
  }

  /** A head is on its way as soon as it is written. */
  flushHeaders(): void {
    return undefined
  }

  write(chunk: Buffer): boolean {
    return this.#isHead || this.destroyed || this.#stream.write(chunk)
  }

  end(body?: Buffer | string | (() => void), encoding?: 'latin1'): void {
    if (this.#ended) return
    this.#ended = true
    if (this.#stream.writableEnded) this.#dismiss()
    else if (body === undefined || typeof body === 'function') this.#stream.end(this.#dismiss)
    else if (typeof body === 'string') this.#stream.end(Buffer.from(body, encoding), this.#dismiss)
    else this.#stream.end(body, this.#dismiss)
  }

  addTrailers(trailers: [string, string][]): void {
    for (const [name, value] of trailers) {
      const lower = name.toLowerCase()
      if (!isOfHttp1(lower) && !lower.startsWith(':')) (this.#trailers[lower] ??= []).push(value)
    }
  }

  /** Say that what was sent is not the whole. */
  destroy(): void {
    if (!this.#stream.destroyed) this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR)
  }

  on(event: 'close' | 'drain' | 'finish', run: () => void): this {
    this.#stream.on(event, run)
    return this
  }

  once(event: 'close' | 'drain' | 'finish', run: () => void): this {
    this.#stream.once(event, run)
    return this
  }

  readonly #sendTrailers = (): void => {
    this.#awaitsTrailers = false
    if (this.#stream.destroyed || this.#stream.closed) return
    this.#stream.sendTrailers(this.#trailers)
    this.#dismiss()
  }

  /** Whatever the client has not sent of its request is of no use any more (RFC 9113 §8.1). */
  readonly #dismiss = (): void => {
    const { endAfterHeaders, readableEnded, destroyed } = this.#stream
    if (endAfterHeaders || readableEnded || destroyed || this.#awaitsTrailers) return
    this.#stream.close(constants.NGHTTP2_NO_ERROR)
    // It is closed when what had come has been read.
    this.#stream.resume()
  }
}

/** Fields that a message of HTTP/2 must not have (RFC 9113 §8.2.2). */
function isOfHttp1(name: string): boolean {
  switch (name) {
    case 'connection':
    case 'proxy-connection':
    case 'keep-alive':
    case 'transfer-encoding':
    case 'upgrade':
    case 'http2-settings':
    case 'te':
      return true
    default:
      return false
  }
}
