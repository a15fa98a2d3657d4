import { randomInt } from 'node:crypto'

const alphabet = '0123456789abcdefghijklmnopqrstuvwxyz'

/**
 * A new id that says what it is of: `prefix-` and random digits and letters. Ten are 51 bits, short
 * enough to read out; the primary key has the last word.
 */
export function generateId(prefix: string, length = 10): string {
  const suffix = Array.from({ length }, () => alphabet.charAt(randomInt(alphabet.length))).join('')
  return `${prefix}-${suffix}`
}
