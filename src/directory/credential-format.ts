import { randomInt } from 'node:crypto'
import { crc32 } from 'node:zlib'

const upperAlphanumerics = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'
const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** What scanners of source code look for; underscore, so that a double click selects the whole. */
const secretPrefixes = { 'api-key': 'gatehouse_', 'partner-client': 'gatehouse_client_' } as const

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
 * A new secret: a prefix that tells what it is of, 48 random base62 characters, and the CRC-32 of
 * all these as six base62 digits, by which a scanner tells a secret from a text that looks like
 * one. That of an API key has 64 characters. Verification uses the digest alone: the checksum
 * proves nothing.
 */
export function generateSecret(of: keyof typeof secretPrefixes): string {
  const body = secretPrefixes[of] + randomText(base62, randomLength)
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

/** Say whether a text can be the id of an identity pool at all. */
export function isPoolId(text: string): boolean {
  return /^pool-[a-z0-9]{1,250}$/.test(text)
}

/** Say whether a text can be the id of a partner's client at all. */
export function isClientId(text: string): boolean {
  return /^[A-Za-z0-9._-]{16,255}$/.test(text)
}

/** Say whether a text can be the issuer of an identity provider at all. */
export function isIssuer(text: string): boolean {
  return /^[!-~]{1,1000}$/.test(text)
}
