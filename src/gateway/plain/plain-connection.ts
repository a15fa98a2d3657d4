import type { Socket } from 'node:net'
import type { ErrorCode } from '../../errors/catalogue.ts'
import type { ConnectionState } from '../connection-state.ts'
import { isPlainSoFar, readPlainHead } from './plain-head.ts'
import { PlainIncoming } from './plain-incoming.ts'
import { PlainOutgoing, type Answering } from './plain-outgoing.ts'

/** Bounds that every connection of a listener has. */
export type PlainLimits = {
  /** Longest head that is read here. */
  readonly maxHeaderBytes: number
  /** How long a client may take nothing of an answer that is there. */
  readonly idleTimeoutMs: number
  /** What is said of a connection that is kept, as the value of Keep-Alive. */
  readonly keepAlive: string
}

/** Who is told what happens on a connection. */
export type PlainEvents = {
  onRequest(state: ConnectionState, incoming: PlainIncoming, outgoing: PlainOutgoing): void
  /** It has let go of its socket, on which something else can be read next. */
  onOther(connection: PlainConnection): void
  /** It has let go of its socket, on which a head broke off or did not come. */
  onUnreadable(connection: PlainConnection, code: ErrorCode): void
  onClose(connection: PlainConnection): void
}

/**
 * A client's connection for as long as it carries one plain request after the other. As soon as anything
 * else comes, it lets go of its socket, and Node's server reads what came and goes on from there.
 */
export class PlainConnection implements Answering {
  readonly socket: Socket
  readonly keepAlive: string
  readonly state: ConnectionState
  /** When it began to rest, or to wait for the rest of a head: milliseconds of `performance.now()`. */
  since = performance.now()
  readonly #limits: PlainLimits
  readonly #events: PlainEvents
  #outgoing: PlainOutgoing | undefined
  /** The beginning of a head, as latin1. */
  #begun = ''
  /** What came behind a request that is not answered yet. */
  #behind: Buffer[] = []

  constructor(socket: Socket, state: ConnectionState, limits: PlainLimits, events: PlainEvents) {
    this.socket = socket
    this.state = state
    this.keepAlive = limits.keepAlive
    this.#limits = limits
    this.#events = events
    socket
      .on('data', this.#onData)
      .on('end', this.#onEnd)
      .on('error', this.#onError)
      .on('timeout', this.#onTimeout)
      .on('close', this.#onClose)
  }

  /** Whether no request is under way. */
  get isResting(): boolean {
    return this.#outgoing === undefined
  }

  get isWithinHead(): boolean {
    return this.#begun !== ''
  }

  onSlow(): void {
    this.socket.setTimeout(this.#limits.idleTimeoutMs)
  }

  onAnswered(outgoing: PlainOutgoing): void {
    if (this.#outgoing !== outgoing) return
    this.#outgoing = undefined
    this.since = performance.now()
    if (this.socket.timeout !== undefined && this.socket.timeout > 0) this.socket.setTimeout(0)
    if (!outgoing.shouldKeepAlive) this.socket.destroySoon()
    else if (this.#behind.length > 0 && this.socket.writable)
      this.#letGo(Buffer.concat(this.#behind).toString('latin1'))
  }

  readonly #onData = (bytes: Buffer): void => {
    // What comes behind the last answer is not read (RFC 9112 §9.6).
    if (!this.socket.writable) return
    if (this.#outgoing !== undefined) {
      this.#behind.push(bytes)
      this.socket.pause()
      return
    }
    const text = this.#begun + bytes.toString('latin1')
    const endOfHead = text.indexOf('\r\n\r\n', Math.max(this.#begun.length - 3, 0))
    if (endOfHead === -1) this.#awaitRest(text)
    else this.#take(text, endOfHead + 4, bytes)
  }

  #awaitRest(text: string): void {
    const isFirst = this.#begun === ''
    // Looked at once: who sends a head byte by byte must not have it read as often.
    if (text.length > this.#limits.maxHeaderBytes || (isFirst && !isPlainSoFar(text))) {
      this.#letGo(text)
      return
    }
    if (isFirst) this.since = performance.now()
    this.#begun = text
  }

  /** @param bytes what was read last, in which the body lies if there is one */
  #take(text: string, headBytes: number, bytes: Buffer): void {
    const bodyBytes = text.length - headBytes
    const isShort = headBytes <= this.#limits.maxHeaderBytes
    const head = isShort ? readPlainHead(text.slice(0, headBytes)) : undefined
    // What has not come whole, or is more than one request, is not told apart here.
    if (head?.bodyBytes !== bodyBytes) {
      this.#letGo(text)
      return
    }
    this.#begun = ''
    const body = bodyBytes === 0 ? undefined : bytes.subarray(bytes.length - bodyBytes)
    this.#outgoing = new PlainOutgoing(this, head.method)
    this.#events.onRequest(this.state, new PlainIncoming(head, body, this.socket), this.#outgoing)
  }

  /** Answer, for a head that is not there, and close. */
  refuse(code: ErrorCode): void {
    this.#detach()
    this.#events.onUnreadable(this, code)
  }

  /** @param unread as latin1 */
  #letGo(unread: string): void {
    const { socket } = this
    this.#detach()
    socket.unshift(Buffer.from(unread, 'latin1'))
    this.#events.onOther(this)
    if (socket.isPaused()) socket.resume()
  }

  #detach(): void {
    this.socket
      .off('data', this.#onData)
      .off('end', this.#onEnd)
      .off('error', this.#onError)
      .off('timeout', this.#onTimeout)
      .off('close', this.#onClose)
  }

  /** Who says no more waits for no answer either, unless it is on its way. */
  readonly #onEnd = (): void => {
    if (this.isWithinHead) this.refuse('REQUEST_MALFORMED')
    else if (this.#outgoing?.writableEnded === true) this.#outgoing.shouldKeepAlive = false
    else this.socket.destroy()
  }

  readonly #onError = (): void => {
    this.socket.destroy()
  }

  readonly #onTimeout = (): void => {
    // An upstream may take its time, a reader may not.
    if (this.socket.writableLength > 0) this.socket.destroy()
  }

  readonly #onClose = (): void => {
    const outgoing = this.#outgoing
    this.#outgoing = undefined
    outgoing?.onGone()
    this.#events.onClose(this)
  }
}
