import { createHash } from 'node:crypto'

const plain = /^[A-Za-z0-9._-]{1,128}$/

/**
 * One part of a Redis key. Ids made of letters, digits, dots, hyphens and underscores stay readable.
 * Whatever else an id holds (braces that would move the hash tag, colons that would make two keys
 * one, line breaks, 300 bytes), its digest stands for it, behind a mark that no plain id has.
 */
export function keyPart(text: string): string {
  return plain.test(text) ? text : `~${createHash('sha256').update(text).digest('base64url')}`
}
