import type { PublicLink } from './public-links.ts'

/** Passes a JSON text on piece by piece, with some of its strings exchanged. */
export type LinkRewriter = {
  /** @returns what can go out; a string that may be exchanged is held back until it has ended */
  readonly push: (chunk: Buffer) => Buffer
  /** What is still held back: only of a text that ends within a string. */
  readonly end: () => Buffer
}

const pageLinks: ReadonlySet<string> = new Set(['first', 'prev', 'next', 'last'])

/** A longer string is no link of a page, and passes as it is. */
const maxLinkBytes = 8_192
const maxKeyBytes = 8

const quote = 0x22
const backslash = 0x5c
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d
const comma = 0x2c

/**
 * Exchange the links of a page (`first`, `prev`, `next`, `last` in `metadata` of the outermost object)
 * while the text streams. Every other byte passes as it came: numbers beyond 2^53 and whatever is no
 * JSON too. At most one link is in memory.
 */
export function createLinkRewriter(publicLink: PublicLink): LinkRewriter {
  let depth = 0
  let isWithinObject = false
  let isWithinMetadata = false
  /** The next string of the outermost object, or of its metadata, is a key. */
  let expectsKey = false
  let key = ''
  /** What kind of string this is within. */
  let string: 'none' | 'key' | 'link' | 'other' = 'none'
  let isEscaped = false
  let held: Buffer[] = []
  let heldBytes = 0

  return {
    push(chunk) {
      const out: Buffer[] = []
      let from = 0
      for (let at = 0; at < chunk.length; at += 1) {
        const byte = chunk[at] ?? 0
        if (string === 'none') {
          if (byte !== quote) {
            structure(byte)
            continue
          }
          string = kindOfString()
          if (string === 'link') {
            out.push(chunk.subarray(from, at + 1))
            from = at + 1
          }
        } else if (endsString(byte)) {
          if (string === 'link') {
            hold(chunk.subarray(from, at))
            out.push(exchanged())
            from = at
          }
          string = 'none'
        } else if (string === 'key' && key.length <= maxKeyBytes) {
          key += String.fromCharCode(byte)
        }
      }
      if (string === 'link') hold(chunk.subarray(from))
      else out.push(chunk.subarray(from))
      if (heldBytes > maxLinkBytes) out.push(letGo())
      return out.length === 1 ? (out[0] ?? chunk) : Buffer.concat(out)
    },
    end: letGo,
  }

  function kindOfString(): 'key' | 'link' | 'other' {
    if (expectsKey) {
      expectsKey = false
      key = ''
      return 'key'
    }
    return isWithinMetadata && depth === 2 && pageLinks.has(key) ? 'link' : 'other'
  }

  function endsString(byte: number): boolean {
    if (isEscaped) isEscaped = false
    else if (byte === backslash) isEscaped = true
    else return byte === quote
    return false
  }

  function structure(byte: number): void {
    if (byte === openBrace || byte === openBracket) {
      depth += 1
      const isObject = byte === openBrace
      if (depth === 1) isWithinObject = isObject
      if (depth === 2) isWithinMetadata = isObject && isWithinObject && key === 'metadata'
      expectsKey = isObject && hasKeys()
    } else if (byte === closeBrace || byte === closeBracket) {
      depth -= 1
      if (depth < 2) isWithinMetadata = false
      expectsKey = false
    } else if (byte === comma) {
      expectsKey = hasKeys()
    }
  }

  function hasKeys(): boolean {
    return (depth === 1 && isWithinObject) || (depth === 2 && isWithinMetadata)
  }

  function hold(piece: Buffer): void {
    // A copy: the connection uses its buffers again.
    held.push(Buffer.from(piece))
    heldBytes += piece.length
  }

  /** Too long for a link: the rest of the string passes as it comes. */
  function letGo(): Buffer {
    const all = Buffer.concat(held)
    held = []
    heldBytes = 0
    if (string === 'link') string = 'other'
    return all
  }

  function exchanged(): Buffer {
    const bytes = Buffer.concat(held)
    held = []
    heldBytes = 0
    if (bytes.length > maxLinkBytes) return bytes
    const link = textOf(bytes)
    const replaced = link === undefined ? undefined : publicLink(link)
    if (replaced === undefined || replaced === link) return bytes
    return Buffer.from(JSON.stringify(replaced).slice(1, -1))
  }
}

function textOf(bytes: Buffer): string | undefined {
  try {
    const value: unknown = JSON.parse(`"${bytes.toString()}"`)
    return typeof value === 'string' ? value : undefined
  } catch {
    // No JSON string, so no link; it passes as it is.
    return undefined
  }
}
