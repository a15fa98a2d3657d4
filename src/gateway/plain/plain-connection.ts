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
  /** Milliseconds of `performance.now()` since when it is, or has been waiting for the rest of a head. */
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
    else if (this.#behind.length > 0) this.#letGo(Buffer.concat(this.#behind))
  }

  readonly #onData = (bytes: Buffer): void => {
    if (this.#outgoing !== undefined) {
      this.#behind.push(bytes)
      this.socket.pause()
      return
    }
    const text = this.#begun + bytes.toString('latin1')
    const head = text.length <= this.#limits.maxHeaderBytes ? readPlainHead(text) : undefined
    if (head !== undefined) {
      this.#begun = ''
      this.#outgoing = new PlainOutgoing(this, head.method)
      this.#events.onRequest(this.state, new PlainIncoming(head, this.socket), this.#outgoing)
    } else if (text.length <= this.#limits.maxHeaderBytes && isPlainSoFar(text)) {
      if (this.#begun === '') this.since = performance.now()
      this.#begun = text
    } else {
      this.#letGo(Buffer.from(text, 'latin1'))
    }
  }

  /** Answer, for a head that is not there, and close. */
  refuse(code: ErrorCode): void {
    this.#detach()
    this.#events.onUnreadable(this, code)
  }

  #letGo(unread: Buffer): void {
    const { socket } = this
    this.#detach()
    socket.unshift(unread)
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

  /** Who says no more waits for no answer either. */
  readonly #onEnd = (): void => {
    if (this.isWithinHead) this.refuse('REQUEST_MALFORMED')
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
