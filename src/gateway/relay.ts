import type { Duplex } from 'node:stream'
import type { ResponseControl, ResponseHandler } from '../http1/exchange.ts'
import { InvalidResponse, QueueTimeout } from '../http1/failures.ts'
import { endTogether } from './end-together.ts'
import { whenEnded, type Exchange } from './exchange.ts'
import type { Forwarded } from './forwarded.ts'
import { createLinkRewriter, type LinkRewriter } from './json-links.ts'
import type { Outgoing } from './message.ts'
import {
  aboutBytes,
  aboutTrailers,
  announcedLength,
  fieldsWithout,
  isPlainJson,
  responseFields,
  type OwnFields,
} from './response-fields.ts'
import { agrees, switchProtocols } from './switch-protocols.ts'
import type { Upgrade } from './upgrade.ts'
import { ClientGone } from './upstream-failure.ts'

/** Who waits for the outcome; called once. */
export type Waiting = {
  resolve(forwarded: Forwarded): void
  reject(error: unknown): void
}

/** Who hears of an answer as it comes. */
export type Hearing = {
  /** What the gateway says itself beside it. */
  readonly own: OwnFields
  /** Called as soon as the upstream's head is there: a short answer may end before a promise resolves. */
  readonly onHead: (upstreamMs: number, status: number) => void
  /** Called at the first piece of a body that passes: whether that is all of it. */
  readonly onBody: ((cameWhole: boolean) => void) | undefined
}

/** Errors of an upstream are looked at before they pass; longer ones have none of the known shapes. */
const maxErrorBodyBytes = 65_536

/** A body up to this length that arrives whole leaves with its head as one string. */
const maxJoinedBytes = 16_384

/** A flood of interim responses would hold the connection without ever answering. */
const maxInterimResponses = 16

/**
 * Hears an answer as it arrives, and writes it straight into the response.
 *
 * A class, since there is one for every request. The head is held until the first piece of the body, and a body that arrives whole ends the response at once,
 * so that small answers leave in one write.
 */
export class Relay implements ResponseHandler {
  readonly #outgoing: Outgoing
  readonly #isHead: boolean
  readonly #own: OwnFields
  readonly #upgrade: Upgrade | undefined
  readonly #hearing: Hearing
  readonly #waiting: Waiting
  readonly #sentAt = performance.now()
  #control: ResponseControl | undefined
  #queueTimer: NodeJS.Timeout | undefined
  #abortReason: Error | undefined
  #interimResponses = 0
  #status = 0
  #bodyBegun = false
  #isEnding = false
  #links: LinkRewriter | undefined
  #settled = false
  #errorBody: Buffer[] | undefined
  #errorBodyBytes = 0
  #rawFields: readonly string[] = []

  constructor(exchange: Exchange, hearing: Hearing, waiting: Waiting) {
    const { outgoing, head, abandonment } = exchange
    this.#outgoing = outgoing
    this.#isHead = head.method === 'HEAD'
    this.#own = hearing.own
    this.#hearing = hearing
    this.#upgrade = exchange.upgrade
    this.#waiting = waiting
    whenEnded(exchange, this.#onClientClose)
    abandonment.onAbandon = this.#onAbandon
  }

  /** Bound the wait for a connection of undici's; to be called once it has the request. */
  awaitConnection(timeoutMs: number): void {
    if (this.#control !== undefined || this.#abortReason !== undefined) return
    this.#queueTimer = setTimeout(() => {
      this.#abort(new QueueTimeout())
      this.#fail(new QueueTimeout())
    }, timeoutMs)
  }

  get isGone(): boolean {
    return this.#abortReason !== undefined
  }

  onRequestStart(control: ResponseControl): void {
    this.#control = control
    clearTimeout(this.#queueTimer)
    if (this.#abortReason !== undefined) control.abort(this.#abortReason)
  }

  onResponseStart(status: number, reason: string, rawFields: readonly string[]): void {
    if (status < 200) {
      if (status === 101) throw new InvalidResponse('unasked upgrade')
      this.#interimResponses += 1
      if (this.#interimResponses > maxInterimResponses) throw new InvalidResponse('1xx flood')
      return
    }
    // A class that does not exist (RFC 9110 §15).
    if (status > 599) throw new InvalidResponse('status code')
    this.#status = status
    this.#hearing.onHead(performance.now() - this.#sentAt, status)
    this.#rawFields = rawFields
    if (status >= 400 && !this.#isHead) this.#errorBody = []
    else this.#begin(plainReason(reason))
  }

  /** Called only where an upgrade was asked for, and must not throw. */
  onRequestUpgrade(status: number, rawFields: readonly string[], upstream: Duplex): void {
    upstream.on('error', () => undefined)
    const upgrade = this.#upgrade
    if (this.#settled || upgrade === undefined || !agrees(rawFields, upgrade)) {
      upstream.destroy()
      this.#fail(new InvalidResponse('upgrade to another protocol'))
      return
    }
    this.#settle()
    this.#hearing.onHead(performance.now() - this.#sentAt, status)
    switchProtocols(upgrade, this.#outgoing, { upstream, rawFields, own: this.#own })
    this.#waiting.resolve({ kind: 'streaming' })
  }

  onResponseData(piece: Buffer): void {
    if (this.#errorBody !== undefined) {
      this.#collect(this.#errorBody, piece)
      return
    }
    if (this.#links !== undefined) {
      this.#bodyBegun = true
      const passing = this.#links.push(piece)
      if (passing.length > 0 && !this.#outgoing.write(passing)) this.#holdBack()
      return
    }
    const isWhole = !this.#bodyBegun && piece.length === announcedLength(this.#rawFields)
    if (!this.#bodyBegun) this.#hearing.onBody?.(isWhole)
    this.#bodyBegun = true
    if (isWhole) this.#sendWhole(piece)
    else if (!this.#outgoing.write(piece)) this.#holdBack()
  }

  /** As most answers come. */
  onResponseWhole(body: string): void {
    if (this.#errorBody !== undefined || this.#links !== undefined) {
      this.onResponseData(Buffer.from(body, 'latin1'))
      return
    }
    this.#hearing.onBody?.(true)
    this.#bodyBegun = true
    this.#isEnding = true
    endTogether(this.#outgoing, body)
  }

  onResponseEnd(rawTrailers: readonly string[]): void {
    this.#settle()
    if (this.#errorBody !== undefined) {
      this.#resolveError(this.#errorBody)
      return
    }
    this.#bodyBegun = true
    if (this.#isEnding) return
    const rest = this.#links?.end()
    if (rest !== undefined && rest.length > 0) this.#outgoing.write(rest)
    addTrailers(this.#outgoing, rawTrailers)
    this.#outgoing.end()
  }

  onResponseError(error: unknown): void {
    this.#settle()
    if (this.#errorBody !== undefined && this.#errorBodyBytes > maxErrorBodyBytes) {
      this.#resolveError(this.#errorBody)
    } else if (this.#outgoing.headersSent) {
      // The head is out: a cut connection is the only way left to say that the body is not whole.
      this.#outgoing.destroy()
    } else {
      this.#fail(error)
    }
  }

  #begin(statusMessage: string): void {
    let fields = responseFields(this.#rawFields, this.#own)
    if (this.#isHead) fields = fieldsWithout(fields, aboutTrailers)
    if (this.#own.rewriteLinks === true) fields = this.#rewriteLinks(fields)
    this.#outgoing.writeHead(this.#status, statusMessage, fields)
    // A body that takes its time must not hold the head back.
    queueMicrotask(() => {
      if (!this.#bodyBegun) this.#outgoing.flushHeaders()
    })
    this.#waiting.resolve({ kind: 'streaming' })
  }

  /** A part of a representation (206) is no JSON text of its own. */
  #rewriteLinks(fields: string[]): string[] {
    const { publicLink } = this.#own
    if (publicLink === undefined || this.#status !== 200 || !isPlainJson(this.#rawFields)) {
      return fields
    }
    this.#links = createLinkRewriter(publicLink)
    return fieldsWithout(fields, aboutBytes)
  }

  /** Node joins a head and a string into one write; a head and bytes are two pieces of one. */
  #sendWhole(body: Buffer): void {
    this.#isEnding = true
    if (body.length > maxJoinedBytes) this.#outgoing.end(body)
    else endTogether(this.#outgoing, body.toString('latin1'))
  }

  #holdBack(): void {
    this.#control?.pause()
    this.#outgoing.once('drain', () => {
      this.#control?.resume()
    })
  }

  #collect(errorBody: Buffer[], chunk: Buffer): void {
    this.#errorBodyBytes += chunk.length
    errorBody.push(chunk)
    if (this.#errorBodyBytes > maxErrorBodyBytes) this.#abort(new InvalidResponse('long error'))
  }

  #resolveError(errorBody: Buffer[]): void {
    this.#waiting.resolve({
      kind: 'upstream-error',
      status: this.#status,
      rawFields: this.#rawFields,
      body: Buffer.concat(errorBody),
    })
  }

  // A field like the next one. Made as a closure in the constructor, it kept a fifth of everything
  // that was allocated alive until the next full collection, when measured.
  readonly #onAbandon = (reason: Error): void => {
    this.#abort(reason)
    this.#fail(reason)
  }

  readonly #onClientClose = (): void => {
    if (this.#settled || this.#outgoing.writableFinished) return
    this.#abort(new ClientGone())
    this.#settle()
    this.#waiting.resolve({ kind: 'client-gone' })
  }

  #abort(reason: Error): void {
    this.#abortReason ??= reason
    this.#control?.abort(reason)
  }

  #fail(error: unknown): void {
    this.#settle()
    this.#waiting.reject(error)
  }

  #settle(): void {
    this.#settled = true
    this.#control = undefined
    clearTimeout(this.#queueTimer)
  }
}

/**
 * A reason phrase says nothing that counts (RFC 9112 §4). Node refuses some, and any answer that is
 * tried after that on the same response.
 */
function plainReason(phrase: string): string {
  return /^[\t\x20-\x7e]*$/.test(phrase) ? phrase : ''
}

function addTrailers(outgoing: Outgoing, raw: readonly string[]): void {
  if (raw.length === 0) return
  const trailers: [string, string][] = []
  for (let index = 0; index < raw.length; index += 2) {
    trailers.push([raw[index] ?? '', raw[index + 1] ?? ''])
  }
  outgoing.addTrailers(trailers)
}
