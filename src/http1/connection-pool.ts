import type { SecureContextOptions } from 'node:tls'
import { Connection, type Carrier, type ConnectionEvents, type Deadlines } from './connection.ts'
import { discard, type ResponseHandler, type UpstreamRequest } from './exchange.ts'
import { ConnectionFailure, QueueTimeout } from './failures.ts'
import { originOf, type Origin } from './origin.ts'
import { PipelinedConnection } from './pipelined-connection.ts'

export type ConnectionPoolOptions = {
  /** The most connections at a time. */
  readonly connections: number
  /** How many requests may be under way on one of them; more than 1 only for what has no body. */
  readonly pipelining?: number | undefined
  /** Longest wait for one of them, in milliseconds. */
  readonly queueMs: number
  readonly deadlines: Deadlines
  /** For https: what the other end is held against, and what it is shown. */
  readonly tls?: SecureContextOptions | undefined
}

type Waiting = {
  readonly request: UpstreamRequest
  readonly handler: ResponseHandler
  /** Until when; undefined in its first turn. */
  untilMs: number | undefined
}

/**
 * Connections to one origin, each for one request at a time, or several (HTTP/1.1, RFC 9112).
 *
 * Requests leave at the end of a turn of the event loop, one behind the other, and on connections that
 * rest since the turn before: whatever the other end sent unasked has been read by then, and has closed its
 * connection. Otherwise it could be taken for the answer to the next request, which is somebody else's. With
 * pipelining there is no such turn: see `PipelinedConnection`.
 */
export class ConnectionPool {
  readonly #origin: Origin
  readonly #options: ConnectionPoolOptions
  readonly #events: ConnectionEvents
  #waiting: Waiting[] = []
  readonly #open = new Set<Carrier>()
  /** Connections that can be used; the one that came last goes first, so that others get old and close. */
  #rested: Carrier[] = []
  /** Those whose answers ended in this turn. */
  #resting: Carrier[] = []
  #isTurnSet = false
  #queueTimer: NodeJS.Timeout | undefined
  #isClosing = false
  #closed: (() => void)[] = []

  /** @param url http or https; its path is not looked at */
  constructor(url: URL, options: ConnectionPoolOptions) {
    this.#origin = originOf(url, options.tls)
    this.#options = options
    this.#events = {
      onRest: (connection) => {
        this.#resting.push(connection)
        this.#setTurn()
      },
      onIdle: () => {
        if (this.#isClosing) this.#setTurn()
      },
      onClosed: (connection) => {
        this.#open.delete(connection)
        this.#rested = this.#rested.filter((each) => each !== connection)
        this.#resting = this.#resting.filter((each) => each !== connection)
        if (this.#waiting.length > 0 || this.#isClosing) this.#setTurn()
      },
    }
  }

  /** Requests that wait or are under way. */
  get size(): number {
    let size = this.#waiting.length
    for (const { underWay } of this.#open) size += underWay
    return size
  }

  /** Send a request; what comes of it, its handler hears later, never before this returns. */
  dispatch(request: UpstreamRequest, handler: ResponseHandler): void {
    if (this.#isClosing) {
      discard(request)
      queueMicrotask(() => {
        handler.onResponseError(new ConnectionFailure('POOL_CLOSED', 'The pool is closed'))
      })
      return
    }
    this.#waiting.push({ request, handler, untilMs: undefined })
    this.#setTurn()
  }

  /** Let what waits and what is under way end, then close. What is dispatched later fails. */
  close(): Promise<void> {
    this.#isClosing = true
    this.#setTurn()
    return new Promise((resolve) => {
      this.#closed.push(resolve)
    })
  }

  #setTurn(): void {
    if (this.#isTurnSet) return
    this.#isTurnSet = true
    setImmediate(this.#onTurn)
  }

  readonly #onTurn = (): void => {
    this.#isTurnSet = false
    this.#sendWaiting()
    if (this.#waiting.length > 0) this.#boundWaiting()
    for (const connection of this.#resting) this.#rested.push(connection)
    this.#resting = []
    if (this.#waiting.length > 0 && this.#rested.length > 0) this.#setTurn()
    if (this.#isClosing) this.#closeRested()
  }
  #sendWaiting(): void {
    let sent = 0
    for (const { request, handler } of this.#waiting) {
      if (handler.isGone) discard(request)
      else if (!this.#send(request, handler)) break
      sent += 1
    }
    this.#waiting.splice(0, sent)
  }

  /** @returns false where every connection is busy, and no more may be opened */
  #send(request: UpstreamRequest, handler: ResponseHandler): boolean {
    const rested = this.#rested.pop()
    if (rested !== undefined) {
      this.#sendOn(rested, request, handler)
      return true
    }
    const { connections, deadlines, pipelining = 1 } = this.#options
    if (this.#open.size >= connections) return false
    if (pipelining === 1) {
      this.#open.add(new Connection(this.#origin, deadlines, this.#events, { request, handler }))
      return true
    }
    const opened = new PipelinedConnection(this.#origin, deadlines, this.#events, pipelining)
    this.#open.add(opened)
    this.#sendOn(opened, request, handler)
    return true
  }

  /** One that has room for more is filled first: what leaves on it leaves in one write. */
  #sendOn(connection: Carrier, request: UpstreamRequest, handler: ResponseHandler): void {
    connection.send(request, handler)
    if (connection.hasRoom) this.#rested.push(connection)
  }

  #boundWaiting(): void {
    const untilMs = performance.now() + this.#options.queueMs
    for (const each of this.#waiting) each.untilMs ??= untilMs
    this.#queueTimer ??= setTimeout(this.#onQueueTimer, this.#options.queueMs).unref()
  }

  readonly #onQueueTimer = (): void => {
    this.#queueTimer = undefined
    const now = performance.now()
    const late = this.#waiting.filter(({ untilMs = Infinity }) => untilMs <= now)
    this.#waiting = this.#waiting.filter((each) => !late.includes(each))
    for (const { request, handler } of late) {
      discard(request)
      if (!handler.isGone)
        handler.onResponseError(new QueueTimeout('No connection was free in time'))
    }
    const next = this.#waiting[0]?.untilMs
    if (next !== undefined)
      this.#queueTimer = setTimeout(this.#onQueueTimer, next - now + 1).unref()
    if (this.#isClosing) this.#setTurn()
  }

  #closeRested(): void {
    // What waits leaves on them: an instance that goes may take no connection more.
    if (this.#waiting.length > 0) return
    for (const connection of [...this.#rested]) if (connection.underWay === 0) connection.close()
    if (this.#open.size > 0) return
    for (const resolve of this.#closed) resolve()
    this.#closed = []
  }
}
