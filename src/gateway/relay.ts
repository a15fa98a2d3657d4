import type { Duplex } from 'node:stream'
import type { Dispatcher } from 'undici'
import { endTogether } from './end-together.ts'
import { whenEnded, type Exchange } from './exchange.ts'
import type { Forwarded } from './forwarded.ts'
import { createLinkRewriter, type LinkRewriter } from './json-links.ts'
import type { Outgoing } from './message.ts'
import {
  aboutBytes,
  announcedLength,
  fieldsWithout,
  isPlainJson,
  responseFields,
  valuesOf,
  type OwnFields,
} from './response-fields.ts'
import { agrees, switchProtocols } from './switch-protocols.ts'
import type { Upgrade } from './upgrade.ts'
import { ClientGone, InvalidResponse, QueueTimeout } from './upstream-failure.ts'

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
 * The handler that undici calls as an answer arrives; it writes straight into Node's response.
 *
 * A class, since there is one for every request and undici calls its methods by name. The head is
 * held until the first piece of the body, and a body that arrives whole ends the response at once,
 * so that small answers leave in one write.
 */
export class Relay implements Dispatcher.DispatchHandler {
  readonly #outgoing: Outgoing
  readonly #isHead: boolean
  readonly #own: OwnFields
  readonly #upgrade: Upgrade | undefined
  readonly #hearing: Hearing
  readonly #waiting: Waiting
  readonly #sentAt = performance.now()
  #controller: Dispatcher.DispatchController | undefined
  #queueTimer: NodeJS.Timeout | undefined
  #abortReason: Error | undefined
  #interimResponses = 0
  #status = 0
  #length: number | undefined
  #bodyBegun = false
  #isEnding = false
  #links: LinkRewriter | undefined
  #settled = false
  #errorBody: Buffer[] | undefined
  #errorBodyBytes = 0
  #rawFields: readonly Buffer[] = []

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

  /** Bound the wait for a free connection; to be called once the request has been handed over. */
  awaitConnection(timeoutMs: number): void {
    if (this.#controller !== undefined || this.#abortReason !== undefined) return
    this.#queueTimer = setTimeout(() => {
      this.#abort(new QueueTimeout())
      this.#fail(new QueueTimeout())
    }, timeoutMs)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    clearTimeout(this.#queueTimer)
    if (this.#abortReason !== undefined) controller.abort(this.#abortReason)
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    _fields: unknown,
    statusMessage?: string,
  ): void {
    if (status < 200) {
      // One that undici takes for an upgrade does not come here.
      if (status === 101) throw new InvalidResponse('unasked upgrade')
      this.#interimResponses += 1
      if (this.#interimResponses > maxInterimResponses) throw new InvalidResponse('1xx flood')
      return
    }
    // A class that does not exist (RFC 9110 §15).
    if (status > 599) throw new InvalidResponse('status code')
    this.#status = status
    this.#hearing.onHead(performance.now() - this.#sentAt, status)
    // undici's HTTP/1.1 parser hands the fields over as bytes; its type allows other protocols.
    this.#rawFields = controller.rawHeaders as readonly Buffer[]
    refuseUnknownCoding(this.#rawFields)
    if (status >= 400 && !this.#isHead) this.#errorBody = []
    else this.#begin(plainReason(statusMessage))
  }

  /** Called only where an upgrade was asked for; what is thrown here, undici does not handle. */
  onRequestUpgrade(
    controller: Dispatcher.DispatchController,
    status: number,
    _fields: unknown,
    upstream: Duplex,
  ): void {
    upstream.on('error', () => undefined)
    const rawFields = controller.rawHeaders as readonly Buffer[]
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

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#errorBody !== undefined) {
      this.#collect(this.#errorBody, chunk)
      return
    }
    if (this.#links !== undefined) {
      this.#bodyBegun = true
      const passing = this.#links.push(chunk)
      if (passing.length > 0 && !this.#outgoing.write(passing)) this.#holdBack(controller)
      return
    }
    const isWhole = chunk.length === this.#length
    if (!this.#bodyBegun) this.#hearing.onBody?.(isWhole)
    this.#bodyBegun = true
    if (isWhole) this.#sendWhole(chunk)
    else if (!this.#outgoing.write(chunk)) this.#holdBack(controller)
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    this.#settle()
    if (this.#errorBody !== undefined) {
      this.#resolveError(this.#errorBody)
      return
    }
    this.#bodyBegun = true
    if (this.#isEnding) return
    const rest = this.#links?.end()
    if (rest !== undefined && rest.length > 0) this.#outgoing.write(rest)
    addTrailers(this.#outgoing, controller.rawTrailers)
    this.#outgoing.end()
  }

  onResponseError(_controller: unknown, error: Error): void {
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
    this.#length = this.#isHead ? undefined : announcedLength(this.#rawFields)
    let fields = responseFields(this.#rawFields, this.#own)
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
    this.#length = undefined
    return fieldsWithout(fields, aboutBytes)
  }

  /** Node joins a head and a string into one write; a head and bytes are two pieces of one. */
  #sendWhole(body: Buffer): void {
    this.#isEnding = true
    if (body.length > maxJoinedBytes) this.#outgoing.end(body)
    else endTogether(this.#outgoing, body.toString('latin1'))
  }

  #holdBack(controller: Dispatcher.DispatchController): void {
    controller.pause()
    this.#outgoing.once('drain', () => {
      controller.resume()
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
    this.#controller?.abort(reason)
  }

  #fail(error: unknown): void {
    this.#settle()
    this.#waiting.reject(error)
  }

  #settle(): void {
    this.#settled = true
    this.#controller = undefined
    clearTimeout(this.#queueTimer)
  }
}

/**
 * A reason phrase says nothing that counts (RFC 9112 §4). Node refuses some, and any answer that is
 * tried after that on the same response.
 */
function plainReason(phrase = ''): string {
  return /^[\t\x20-\x7e]*$/.test(phrase) ? phrase : ''
}

/** Whatever is not plain chunking leaves the end of the body to interpretation (RFC 9112 §6.1). */
function refuseUnknownCoding(rawFields: readonly Buffer[]): void {
  for (const coding of valuesOf(rawFields, 'transfer-encoding')) {
    if (coding.trim().toLowerCase() !== 'chunked') throw new InvalidResponse('transfer coding')
  }
}

function addTrailers(outgoing: Outgoing, raw: Dispatcher.DispatchController['rawTrailers']): void {
  if (!Array.isArray(raw) || raw.length === 0) return
  const trailers: [string, string][] = []
  for (let index = 0; index < raw.length; index += 2) {
    trailers.push([String(raw[index]), String(raw[index + 1])])
  }
  outgoing.addTrailers(trailers)
}
