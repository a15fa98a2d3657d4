import { createCipheriv, createHash } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'

/** How much comes at once. */
export const pieceBytes = 65_536
const zeros = Buffer.alloc(pieceBytes)

/** So many bytes that do not repeat and are the same every time. */
export function* noise(bytes: number): Generator<Buffer> {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16))
  for (let left = bytes; left > 0; left -= pieceBytes) {
    yield cipher.update(zeros.subarray(0, Math.min(left, pieceBytes)))
  }
}

/** SHA-256 of so many bytes of noise, in hex. */
export function noiseDigest(bytes: number): string {
  const hash = createHash('sha256')
  for (const piece of noise(bytes)) hash.update(piece)
  return hash.digest('hex')
}

/** The pieces of a body with a pause after each. */
export async function* slowly(
  body: Iterable<unknown> | AsyncIterable<unknown>,
  pauseMs: number,
): AsyncGenerator<Buffer> {
  for await (const piece of body) {
    yield piece as Buffer
    await pause(pauseMs)
  }
}
