import { randomInt } from 'node:crypto'
import { crc32 } from 'node:zlib'

const upperAlphanumerics = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'
const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** What scanners of source code look for; underscore, so that a double click selects the whole. */
const secretPrefix = 'gatehouse_'

/** 62^48 is about 2^285. */
const randomLength = 48

/** 62^6 is more than 2^32. */
const checksumLength = 6

/** A new key id: 16 upper-case letters and digits, as clients of such surfaces expect. */
export function generateKeyId(): string {
  return randomText(upperAlphanumerics, 16)
}

/** Say whether a text can be a key id at all; if not, no look-up is needed to know it is unknown. */
export function isKeyId(text: string): boolean {
  return /^[A-Z0-9]{16}$/.test(text)
}

/**
 * A new secret, 64 characters: the prefix, 48 random base62 characters, and the CRC-32 of all
 * these as six base62 digits, by which a scanner tells a secret from a text that looks like one.
 * Verification uses the digest alone: the checksum proves nothing.
 */
export function generateSecret(): string {
  const body = secretPrefix + randomText(base62, randomLength)
  return body + checksum(body)
}

function checksum(text: string): string {
  let rest = crc32(text)
  let digits = ''
  for (let place = 0; place < checksumLength; place++) {
    digits = base62.charAt(rest % 62) + digits
    rest = Math.floor(rest / 62)
  }
  return digits
}

function randomText(alphabet: string, length: number): string {
  return Array.from({ length }, () => alphabet.charAt(randomInt(alphabet.length))).join('')
}
