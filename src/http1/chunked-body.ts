import { InvalidResponse } from './failures.ts'
import { readTrailers } from './response-head.ts'

/** Longest line of a chunk's size, with its extensions; longest section of trailers. */
const maxLineBytes = 4_096
const maxTrailerBytes = 16_384

/**
 * Takes the chunked transfer coding off a body, however the bytes are cut (RFC 9112 §7.1). Extensions
 * are read over; anything else that is not as written there is refused.
 */
export class ChunkedBody {
  readonly #onPiece: (piece: Buffer) => void
  #state: 'size' | 'data' | 'data-end' | 'trailers' | 'end' = 'size'
  /** Of a line, or of trailers, that has not come whole. */
  #text = ''
  /** Bytes of the chunk that are still to come. */
  #left = 0
  #trailers: string[] = []

  constructor(onPiece: (piece: Buffer) => void) {
    this.#onPiece = onPiece
  }

  get isAtEnd(): boolean {
    return this.#state === 'end'
  }

  /** Names and values in turn; there once the body is at its end. */
  get trailers(): string[] {
    return this.#trailers
  }

  /**
   * @returns how many of the bytes belong to the body; less than all only at its end
   * @throws {InvalidResponse}
   */
  push(bytes: Buffer): number {
    let at = 0
    while (at < bytes.length && this.#state !== 'end') {
      if (this.#state === 'data') at = this.#takeData(bytes, at)
      else at = this.#takeLine(bytes, at)
    }
    return at
  }

  #takeData(bytes: Buffer, at: number): number {
    const end = Math.min(at + this.#left, bytes.length)
    this.#left -= end - at
    if (this.#left === 0) this.#state = 'data-end'
    this.#onPiece(bytes.subarray(at, end))
    return end
  }

  #takeLine(bytes: Buffer, at: number): number {
    const newline = bytes.indexOf(lineFeed, at)
    const end = newline === -1 ? bytes.length : newline + 1
    this.#text += bytes.toString('latin1', at, end)
    const longest = this.#state === 'trailers' ? maxTrailerBytes : maxLineBytes
    if (this.#text.length > longest) throw new InvalidResponse('chunk')
    if (newline !== -1) this.#readLine()
    return end
  }

  #readLine(): void {
    const line = this.#text
    if (this.#state === 'trailers') {
      // Refused at once: who ends lines so has said all, and nothing more would come.
      if (!line.endsWith('\r\n')) throw new InvalidResponse('trailers')
      // An empty line ends them.
      if (line !== '\r\n' && !line.endsWith('\r\n\r\n')) return
      this.#trailers = readTrailers(line.slice(0, -2))
      this.#state = 'end'
    } else if (this.#state === 'data-end') {
      if (line !== '\r\n') throw new InvalidResponse('chunk')
      this.#state = 'size'
    } else {
      const size = chunkLine.exec(line)?.[1]
      if (size === undefined) throw new InvalidResponse('chunk')
      this.#left = Number.parseInt(size, 16)
      this.#state = this.#left === 0 ? 'trailers' : 'data'
    }
    this.#text = ''
  }
}

const lineFeed = 0x0a
const chunkLine = /^([0-9A-Fa-f]{1,12})(?:[\t ]*;[\t\x20-\x7e\x80-\xff]*)?\r\n$/
