import type { Socket } from 'node:net'
import { writeBody, type BodyWriter } from './body-writer.ts'
import { Deadline } from './deadline.ts'
import {
  discard,
  type ResponseControl,
  type ResponseHandler,
  type UpstreamRequest,
} from './exchange.ts'
import { closedByPeer, InvalidResponse, passed } from './failures.ts'
import { openSocket, type Origin } from './origin.ts'
import { framing, requestHead } from './request-head.ts'
import { ResponseReader, type ResponseEnd } from './response-reader.ts'

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

/** What carries requests, one at a time or several. */
export type Carrier = {
  /** Whether it can take a request now. */
  readonly hasRoom: boolean
  /** How many requests it carries. */
  readonly underWay: number
  /** Not where there is no room. */
  send(request: UpstreamRequest, handler: ResponseHandler): void
  /** For good. */
  close(): void
}

/** What a connection tells its owner. */
export type ConnectionEvents = {
  /** An answer has come whole, and the connection, which had no room, can take another request. */
  onRest(connection: Carrier): void
  /** The last of several answers has come on one that had room all the time. */
  onIdle(): void
  /** It is of no use any more; called once. */
  onClosed(connection: Carrier): void
}

/**
 * A connection that carries one request at a time.
 *
 * Whatever arrives before a request has begun to leave, or behind the end of an answer, closes it: it
 * would be taken for the answer to somebody else's request.
 */
export class Connection implements Carrier, ResponseControl {
  readonly #origin: Origin
  readonly #deadlines: Deadlines
  readonly #events: ConnectionEvents
  readonly #socket: Socket
  readonly #reader: ResponseReader
  readonly #deadline: Deadline<keyof Deadlines>
  #isClosed = false
  #isPaused = false
  #request: UpstreamRequest | undefined
  #handler: ResponseHandler | undefined
  /** Of a body that streams. */
  #writer: BodyWriter | undefined
  /** All of the request has been written. */
  #isSent = false

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
    this.#deadline = new Deadline((name) => {
      this.#onDeadline(name)
    })
    // Who says that it is still at work is given time again; how often, the handler decides.
    this.#reader = new ResponseReader(() => {
      this.#expect('headMs')
    })
    this.#socket = openSocket(origin, {
      onRead: (bytes) => this.#onRead(bytes),
      onOpen: () => {
        this.#onOpen()
      },
      onEnd: () => {
        this.#onEnd()
      },
      onFailure: (error) => {
        this.#fail(error)
      },
    })
    this.#expect('connectMs')
  }

  get hasRoom(): boolean {
    return !this.#isClosed && this.#handler === undefined
  }

  get underWay(): number {
    return this.#handler === undefined ? 0 : 1
  }

  /** Send a request on a connection that rests. */
  send(request: UpstreamRequest, handler: ResponseHandler): void {
    this.#request = request
    this.#handler = handler
    this.#start(request, handler)
  }

  /** Cut the connection; whose request it carries is told why. */
  abort(reason: Error): void {
    this.#fail(reason)
  }

  pause(): void {
    this.#isPaused = true
    this.#socket.pause()
    this.#deadline.lift()
  }

  resume(): void {
    if (!this.#isPaused || this.#isClosed) return
    this.#isPaused = false
    this.#expect(this.#reader.hasHead ? 'bodyMs' : 'headMs')
    this.#socket.resume()
  }

  /** For good; of one that carries a request, the request fails by `abort`. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#deadline.close()
    this.#socket.destroy()
    this.#events.onClosed(this)
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
      this.#reader.start(request.method, handler)
      handler.onRequestStart(this)
      if (this.#handler !== handler) return
      this.#expect('headMs')
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
      const text = head + framing(method, body?.bytes.length ?? 0)
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
    if (!this.#reader.hasHead) this.#expect('headMs')
  }

  /** @returns whether more may be read */
  #onRead(bytes: Buffer): boolean {
    const handler = this.#handler
    const isAsked = this.#isSent || this.#writer?.hasBegun === true
    if (handler === undefined || !isAsked) {
      this.#fail(new InvalidResponse('an answer to no request'))
      return false
    }
    try {
      const end = this.#reader.take(bytes)
      if (this.#handler === handler) {
        if (end !== undefined) this.#finish(handler, end)
        else if (this.#reader.hasHead && !this.#isPaused) this.#expect('bodyMs')
      }
    } catch (error) {
      this.#fail(error)
    }
    return !this.#isPaused && !this.#isClosed
  }

  /** The other end says no more: the end of an answer that ends so, and a failure of any other. */
  #onEnd(): void {
    const [handler, end] = [this.#handler, this.#reader.takeEnd()]
    if (handler === undefined || end === undefined) {
      this.#fail(closedByPeer())
      return
    }
    try {
      this.#finish(handler, end)
    } catch (error) {
      this.#fail(error)
    }
  }

  #finish(handler: ResponseHandler, { trailers, restMs, behind }: ResponseEnd): void {
    handler.onResponseEnd(trailers)
    // Cut by whoever heard the end, it must not rest.
    if (this.#isClosed) return
    this.#handler = undefined
    // It answered before it had read all of the request; the rest would be taken for another one.
    this.#writer?.cancel()
    // What is behind the end would be taken for the next answer.
    if (restMs === 0 || behind > 0 || !this.#isSent) this.close()
    else this.#rest(restMs)
  }

  #rest(restMs: number | undefined): void {
    this.#handler = undefined
    this.#request = undefined
    this.#reader.stop()
    this.#writer = undefined
    this.#isSent = false
    if (this.#isPaused) {
      this.#isPaused = false
      this.#socket.resume()
    }
    this.#expect('restMs', restMs)
    this.#events.onRest(this)
  }

  #fail(error: unknown): void {
    const [handler, request] = [this.#handler, this.#request]
    this.#handler = undefined
    this.#request = undefined
    this.#reader.stop()
    if (this.#writer !== undefined) this.#writer.cancel()
    else if (request !== undefined) discard(request)
    this.close()
    handler?.onResponseError(error)
  }

  #expect(name: keyof Deadlines, withinMs = this.#deadlines[name]): void {
    this.#deadline.set(name, withinMs)
  }

  #onDeadline(name: keyof Deadlines): void {
    if (name === 'restMs') this.close()
    // A client that takes its time with its body is not the other end's fault, which takes what comes.
    else if (name === 'headMs' && !this.#isSent && !this.#socket.writableNeedDrain) {
      this.#expect('headMs')
    } else this.#fail(passed(name))
  }
}
