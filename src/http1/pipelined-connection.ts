import type { Socket } from 'node:net'
import type { Carrier, ConnectionEvents, Deadlines } from './connection.ts'
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

/** A request that was sent, and whose answer has not come whole. */
type Place = {
  readonly method: string
  /** Undefined: nobody waits for the answer any more. */
  handler: ResponseHandler | undefined
}

/**
 * A connection on which requests leave before the answers to those before them have come (RFC 9112 §9.3.2).
 * Requests of one turn of the event loop are one write, and their answers often one read.
 *
 * One that fails takes the requests behind it along, so it is for requests without a body that can be sent
 * again. And the other end is believed to answer each once: nothing tells an answer that was never asked
 * for from the answer to the next request.
 */
export class PipelinedConnection implements Carrier {
  readonly #host: string
  readonly #deadlines: Deadlines
  readonly #events: ConnectionEvents
  readonly #depth: number
  readonly #socket: Socket
  readonly #reader: ResponseReader
  readonly #deadline: Deadline<keyof Deadlines>
  /** In the order in which they leave; the first is the one that is answered. */
  #places: Place[] = []
  /** What leaves at the end of the turn, or when the connection is open. */
  #unsent = ''
  #isOpen = false
  #isClosed = false
  #isPaused = false
  /** Its owner knows that there is room. */
  #isOffered = true

  /** @param depth how many requests may be under way */
  constructor(origin: Origin, deadlines: Deadlines, events: ConnectionEvents, depth: number) {
    this.#host = origin.host
    this.#deadlines = deadlines
    this.#events = events
    this.#depth = depth
    this.#deadline = new Deadline((name) => {
      this.#onDeadline(name)
    })
    this.#reader = new ResponseReader(() => {
      this.#expect('headMs')
    })
    this.#socket = openSocket(origin, {
      onRead: (bytes) => this.#onRead(bytes),
      onOpen: () => {
        this.#isOpen = true
        this.#expect('headMs')
        this.#flush()
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
    return !this.#isClosed && this.#places.length < this.#depth
  }

  get underWay(): number {
    return this.#places.length
  }

  /** Send a request behind those that are under way. It has no body. */
  send(request: UpstreamRequest, handler: ResponseHandler): void {
    const { method } = request
    let text: string
    try {
      if (request.body !== undefined) throw new TypeError('A body behind another request')
      text = requestHead(request, this.#host) + framing(method, 0)
    } catch (error) {
      discard(request)
      handler.onResponseError(error)
      return
    }
    const place = { method, handler }
    this.#places.push(place)
    if (this.#places.length === 1) this.#begin(place)
    this.#isOffered = this.hasRoom
    if (this.#unsent === '' && this.#isOpen) {
      queueMicrotask(() => {
        this.#flush()
      })
    }
    this.#unsent += text
    handler.onRequestStart(this.#controlOf(place))
  }

  /** For good; requests that are under way fail. */
  close(): void {
    this.#fail(closedByPeer())
  }

  #controlOf(place: Place): ResponseControl {
    return {
      abort: (reason) => {
        this.#abort(place, reason)
      },
      pause: () => {
        if (place !== this.#places[0]) return
        this.#isPaused = true
        this.#socket.pause()
        this.#deadline.lift()
      },
      resume: () => {
        if (place === this.#places[0]) this.#resume()
      },
    }
  }

  /** The answer comes all the same, and is read over; one that has begun may never end. */
  #abort(place: Place, reason: Error): void {
    const { handler } = place
    if (handler === undefined || !this.#places.includes(place)) return
    place.handler = undefined
    const isFirst = place === this.#places[0]
    const isWanted = this.#places.some((each) => each.handler !== undefined)
    if (!isWanted || (isFirst && this.#reader.hasHead)) this.#fail(closedByPeer())
    else if (isFirst) this.#reader.start(place.method, nobody)
    handler.onResponseError(reason)
  }

  #resume(): void {
    if (!this.#isPaused || this.#isClosed) return
    this.#isPaused = false
    this.#expect(this.#reader.hasHead ? 'bodyMs' : 'headMs')
    this.#socket.resume()
  }

  #begin({ method, handler = nobody }: Place): void {
    this.#reader.start(method, handler)
    if (this.#isOpen) this.#expect('headMs')
  }

  #flush(): void {
    const text = this.#unsent
    this.#unsent = ''
    if (!this.#isClosed && text !== '') this.#socket.write(text, 'latin1')
  }

  /** @returns whether more may be read */
  #onRead(bytes: Buffer): boolean {
    try {
      this.#take(bytes)
    } catch (error) {
      this.#fail(error)
    }
    return !this.#isPaused && !this.#isClosed
  }

  /** Read as many answers as there are in one piece. */
  #take(bytes: Buffer): void {
    let left = bytes
    // Decoded once, however many heads are in it.
    let text = this.#reader.hasHead ? undefined : bytes.toString('latin1')
    while (left.length > 0 && !this.#isClosed) {
      const place = this.#places[0]
      if (place === undefined) throw new InvalidResponse('an answer to no request')
      const end = this.#reader.take(left, text)
      if (end === undefined) {
        // Nobody waits for it, others wait behind it, and it may never end.
        if (place.handler === undefined && this.#reader.hasHead) throw closedByPeer()
        if (this.#reader.hasHead && !this.#isPaused) this.#expect('bodyMs')
        return
      }
      text = text?.slice(text.length - end.behind) ?? left.toString('latin1').slice(-end.behind)
      left = left.subarray(left.length - end.behind)
      this.#finish(place, end)
    }
  }

  #finish({ handler }: Place, { trailers, restMs }: ResponseEnd): void {
    this.#places.shift()
    this.#reader.stop()
    handler?.onResponseEnd(trailers)
    if (this.#isClosed) return
    if (restMs === 0) {
      this.#fail(closedByPeer())
      return
    }
    this.#resume()
    const [next] = this.#places
    if (next === undefined) this.#expect('restMs', restMs)
    else this.#begin(next)
    if (!this.#isOffered) {
      this.#isOffered = true
      this.#events.onRest(this)
    } else if (next === undefined) {
      this.#events.onIdle()
    }
  }

  /** The other end says no more: the end of an answer that ends so, and of the connection. */
  #onEnd(): void {
    const [place, end] = [this.#places[0], this.#reader.takeEnd()]
    try {
      if (place !== undefined && end !== undefined) this.#finish(place, end)
      else this.#fail(closedByPeer())
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Of those behind the first nothing has come: they can be sent again. */
  #fail(error: unknown): void {
    if (this.#isClosed) return
    this.#isClosed = true
    const places = this.#places
    this.#places = []
    this.#reader.stop()
    this.#deadline.close()
    this.#socket.destroy()
    this.#events.onClosed(this)
    const forOthers = this.#isOpen ? closedByPeer() : error
    for (const [index, place] of places.entries()) {
      const { handler } = place
      place.handler = undefined
      handler?.onResponseError(index === 0 ? error : forOthers)
    }
  }

  #expect(name: keyof Deadlines, withinMs = this.#deadlines[name]): void {
    this.#deadline.set(name, withinMs)
  }

  #onDeadline(name: keyof Deadlines): void {
    this.#fail(name === 'restMs' ? closedByPeer() : passed(name))
  }
}

/** Hears of an answer that nobody waits for. */
const nobody: ResponseHandler = {
  isGone: true,
  onRequestStart: () => undefined,
  onResponseStart: () => undefined,
  onResponseData: () => undefined,
  onResponseWhole: () => undefined,
  onResponseEnd: () => undefined,
  onResponseError: () => undefined,
}
