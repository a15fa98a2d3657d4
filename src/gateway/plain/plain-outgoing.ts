import type { Socket } from 'node:net'
import type { Outgoing } from '../message.ts'
import { headText, lastChunk } from '../head-text.ts'

/** Who hears that an answer has ended. */
export type Answering = {
  readonly socket: Socket
  /** What is said of a connection that is kept, as the value of Keep-Alive. */
  readonly keepAlive: string
  /** Not all of the answer was taken at once: somebody takes their time. */
  onSlow(): void
  /** The answer has been taken whole. */
  onAnswered(outgoing: PlainOutgoing): void
}

const none: readonly string[] = []

/** The response to a plain request, with the members that the chain uses of Node's own. */
export class PlainOutgoing implements Outgoing {
  statusCode = 200
  shouldKeepAlive = true
  /** Names and values in turn. */
  security: readonly string[] = none
  headersSent = false
  writableEnded = false
  writableFinished = false
  closed = false
  readonly #answering: Answering
  readonly #socket: Socket
  readonly #isHead: boolean
  /** Whether a body may follow the head. */
  #hasBody = true
  #isChunked = false
  /** The head, until it is sent. */
  #head = ''
  #lastChunk = '0\r\n\r\n'
  #onClose: (() => void)[] = []
  #onFinish: (() => void) | undefined

  constructor(answering: Answering, method: string) {
    this.#answering = answering
    this.#socket = answering.socket
    this.#isHead = method === 'HEAD'
  }

  /** Said at once, though 'close' comes later: what is written then reaches nobody. */
  get destroyed(): boolean {
    return this.closed || this.#socket.destroyed
  }

  writeHead(status: number, reason: string | readonly string[], fields?: readonly string[]): void {
    if (this.headersSent) throw new Error('The head has been written')
    const hasPhrase = typeof reason === 'string'
    const given = hasPhrase ? (fields ?? none) : reason
    this.#hasBody = !this.#isHead && status !== 204 && status !== 304
    const { text, isChunked, isKept } = headText(
      {
        status,
        reason: hasPhrase ? reason : undefined,
        hasBody: this.#hasBody,
        isKept: this.shouldKeepAlive,
        keepAlive: this.#answering.keepAlive,
      },
      given,
      this.security,
    )
    this.statusCode = status
    this.headersSent = true
    this.shouldKeepAlive = isKept
    this.#isChunked = isChunked
    this.#head = text
  }

  /** No plain request expects it. */
  writeContinue(): void {
    return undefined
  }

  flushHeaders(): void {
    if (this.#head === '' || this.destroyed) return
    this.#socket.write(this.#takeHead(), 'latin1')
  }

  write(chunk: Buffer): boolean {
    if (!this.#hasBody || this.destroyed || chunk.length === 0) return true
    const socket = this.#socket
    if (this.#head !== '' || this.#isChunked) {
      socket.cork()
      process.nextTick(uncork, socket)
    }
    this.flushHeaders()
    const taken = this.#writePiece(chunk)
    if (!taken) this.#answering.onSlow()
    return taken
  }

  #writePiece(chunk: Buffer): boolean {
    const socket = this.#socket
    if (!this.#isChunked) return socket.write(chunk)
    socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1')
    socket.write(chunk)
    return socket.write('\r\n', 'latin1')
  }

  end(body?: Buffer | string | (() => void)): void {
    if (this.writableEnded || this.destroyed) return
    if (!this.headersSent) this.writeHead(this.statusCode, none)
    this.writableEnded = true
    if (typeof body === 'function') this.once('finish', body)
    else if (typeof body === 'object') this.write(body)
    this.#sendEnd(typeof body === 'string' && this.#hasBody ? body : '')
    settleAfter(this)
  }

  /** @param body latin1 */
  #sendEnd(body: string): void {
    let text = this.#takeHead()
    if (!this.#isChunked) text += body
    else if (body !== '') text += `${body.length.toString(16)}\r\n${body}\r\n${this.#lastChunk}`
    else text += this.#lastChunk
    if (text !== '') this.#socket.write(text, 'latin1')
  }

  /** To be called when what was written in a tick is on its way. */
  settle(): void {
    if (this.destroyed) return
    if (this.#socket.writableLength === 0) {
      this.#finish()
      return
    }
    this.#answering.onSlow()
    // Its callback comes behind all that was written before.
    this.#socket.write('', 'latin1', (error) => {
      if (error === undefined || error === null) this.#finish()
    })
  }

  addTrailers(trailers: [string, string][]): void {
    this.#lastChunk = lastChunk(trailers)
  }

  /** Cut the connection: half an answer cannot be mended. */
  destroy(): void {
    if (this.closed) return
    this.#socket.destroy()
  }

  on(event: 'close' | 'drain' | 'finish', run: () => void): this {
    if (event === 'close') this.#onClose.push(run)
    else if (event === 'drain') this.#socket.on('drain', run)
    else this.#onFinish = run
    return this
  }

  once(event: 'close' | 'drain' | 'finish', run: () => void): this {
    if (event === 'drain') this.#socket.once('drain', run)
    else this.on(event, run)
    return this
  }

  /** The connection is gone. */
  onGone(): void {
    if (!this.closed) this.#close()
  }

  #takeHead(): string {
    const head = this.#head
    this.#head = ''
    return head
  }

  #finish(): void {
    // The connection may be gone within the turn.
    if (this.closed) return
    this.writableFinished = true
    this.#onFinish?.()
    this.#close()
    this.#answering.onAnswered(this)
  }

  #close(): void {
    this.closed = true
    for (const run of this.#onClose) run()
    this.#onClose = []
  }
}

let ended: PlainOutgoing[] = []

/** Settle an answer when this tick is over, as Node does, with the others that end in it. */
function settleAfter(outgoing: PlainOutgoing): void {
  if (ended.length === 0) process.nextTick(settleAll)
  ended.push(outgoing)
}

function settleAll(): void {
  const settling = ended
  ended = []
  for (const outgoing of settling) outgoing.settle()
}

function uncork(socket: Socket): void {
  socket.uncork()
}
