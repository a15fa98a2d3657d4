/**
 * Percent-encode an id. A star is encoded too, so that none in a pattern is taken for one that
 * stands for anything. A surrogate without its other half is written as U+FFFD.
 */
export function encodeId(id: string): string {
  return encodeURIComponent(id.toWellFormed()).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

/** Percent-decode an id; undefined where it is malformed, or is not UTF-8. */
export function decodeId(encoded: string): string | undefined {
  if (!/^[\x21-\x7e]*$/.test(encoded)) return undefined
  try {
    return decodeURIComponent(encoded)
  } catch {
    // A lone percent sign, or octets that are not UTF-8.
    return undefined
  }
}
