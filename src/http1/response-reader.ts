import { ChunkedBody } from './chunked-body.ts'
import type { ResponseHandler } from './exchange.ts'
import { InvalidResponse } from './failures.ts'
import { readResponseHead, type ResponseHead } from './response-head.ts'

/** How an answer ended. */
export type ResponseEnd = {
  /** Names and values in turn. */
  readonly trailers: readonly string[]
  /** How long the connection may rest; undefined where nothing was said of it, 0: not at all. */
  readonly restMs: number | undefined
  /** How many of the bytes came behind the end. */
  readonly behind: number
}

const maxHeadBytes = 32_768

/** A body up to this length is handed over whole, where it came with its head. */
const maxWholeBytes = 16_384

/**
 * Reads one answer after another off a connection, however the bytes are cut, and tells a handler of
 * each. It hears nothing of the end of the answer: whose connection it is, tells it.
 */
export class ResponseReader {
  readonly #onInterim: () => void
  #method = ''
  #handler: ResponseHandler | undefined
  /** What has come of a head that is not whole. */
  #headText = ''
  #head: ResponseHead | undefined
  /** Bytes of a sized body that are still to come. */
  #left = 0
  #chunked: ChunkedBody | undefined
  /** What came out of the chunks of one read. */
  #pieces: Buffer[] = []

  /** @param onInterim called before the handler hears of an interim answer (1xx) */
  constructor(onInterim: () => void) {
    this.#onInterim = onInterim
  }

  /** Whether the head of the answer has come. */
  get hasHead(): boolean {
    return this.#head !== undefined
  }

  /** @param method of the request */
  start(method: string, handler: ResponseHandler): void {
    this.#method = method
    this.#handler = handler
  }

  /** The handler is told nothing any more, and nothing of its answer is kept. */
  stop(): void {
    this.#handler = undefined
    this.#headText = ''
    this.#head = undefined
    this.#chunked = undefined
  }

  /**
   * @param text the bytes as latin1, where somebody has it
   * @returns how the answer ended, if it has
   * @throws {InvalidResponse}, and what the handler throws
   */
  take(bytes: Buffer, text?: string): ResponseEnd | undefined {
    const behind = this.#head === undefined ? this.#takeHead(bytes, text) : undefined
    const head = this.#head
    if (head === undefined) return undefined
    if (behind === undefined) return this.#takeBody(head, bytes, undefined)
    return this.#takeBody(head, bytes.subarray(bytes.length - behind.length), behind)
  }

  /** The other end says no more. @returns how the answer ended; undefined where it was to go on */
  takeEnd(): ResponseEnd | undefined {
    const isEnd = this.#head?.framing.kind === 'until-close'
    return isEnd ? { trailers: none, restMs: 0, behind: 0 } : undefined
  }

  /** @returns what came behind the head, as latin1; undefined where there is none yet */
  #takeHead(bytes: Buffer, known: string | undefined): string | undefined {
    let text = this.#headText + (known ?? bytes.toString('latin1'))
    for (;;) {
      const end = text.indexOf('\r\n\r\n')
      if (end > maxHeadBytes || (end === -1 && text.length > maxHeadBytes)) {
        throw new InvalidResponse('long head')
      }
      if (end === -1) {
        this.#headText = text
        return undefined
      }
      const head = readResponseHead(text.slice(0, end + 2), this.#method)
      text = text.slice(end + 4)
      if (head.status >= 200) {
        this.#begin(head)
        return text
      }
      this.#onInterim()
      this.#handler?.onResponseStart(head.status, head.reason, head.rawFields)
    }
  }

  #begin(head: ResponseHead): void {
    this.#head = head
    this.#left = head.framing.kind === 'sized' ? head.framing.bytes : 0
    if (head.framing.kind === 'chunked') {
      this.#chunked = new ChunkedBody((piece) => this.#pieces.push(piece))
    }
    this.#handler?.onResponseStart(head.status, head.reason, head.rawFields)
  }

  /** @param text the bytes as latin1, where they came with the head */
  #takeBody(head: ResponseHead, bytes: Buffer, text: string | undefined): ResponseEnd | undefined {
    const chunked = this.#chunked
    const taken =
      chunked === undefined
        ? this.#takePlain(head, bytes, text)
        : this.#takeChunks(chunked, bytes, text !== undefined)
    const { kind } = head.framing
    const isAtEnd = chunked?.isAtEnd ?? (kind !== 'until-close' && this.#left === 0)
    if (!isAtEnd) return undefined
    const { restMs } = head
    return { trailers: chunked?.trailers ?? none, restMs, behind: bytes.length - taken }
  }

  /** @returns how many of the bytes belong to the body */
  #takePlain({ framing: { kind } }: ResponseHead, bytes: Buffer, text: string | undefined): number {
    const isSized = kind !== 'until-close'
    const count = isSized ? Math.min(this.#left, bytes.length) : bytes.length
    const isAll = isSized && count === this.#left
    if (isSized) this.#left -= count
    if (count === 0) return 0
    if (text !== undefined && isAll && count <= maxWholeBytes) {
      this.#handler?.onResponseWhole(text.slice(0, count))
    } else {
      // What was read into is read into again.
      this.#handler?.onResponseData(Buffer.from(bytes.subarray(0, count)))
    }
    return count
  }

  /** @returns as above */
  #takeChunks(chunked: ChunkedBody, bytes: Buffer, cameWithHead: boolean): number {
    const taken = chunked.push(bytes)
    const pieces = this.#pieces
    this.#pieces = []
    const isShort = pieces.length > 0 && bytes.length <= maxWholeBytes
    if (cameWithHead && isShort && chunked.isAtEnd && chunked.trailers.length === 0) {
      this.#handler?.onResponseWhole(pieces.map((piece) => piece.toString('latin1')).join(''))
      return taken
    }
    // Whoever hears one may want no more of them.
    for (const piece of pieces) this.#handler?.onResponseData(Buffer.from(piece))
    return taken
  }
}

const none: readonly string[] = []
