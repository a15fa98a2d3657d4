/** Field lines, each with its CR LF, as a pattern: a token, a colon and a value, none of them folded. */
export const fieldLines = String.raw`(?:[!#$%&'*+.^_\x60|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*\r\n)*`

const space = 0x20
const tab = 0x09

/**
 * Read field lines that are known to be sound.
 *
 * @param text latin1, which keeps every byte
 * @returns names and values in turn, as received, without the white space around values
 * @see RFC 9112 §5
 */
export function readFields(text: string, from: number, to: number): string[] {
  const fields: string[] = []
  let at = from
  while (at < to) {
    const colon = text.indexOf(':', at)
    const end = text.indexOf('\r\n', colon)
    fields.push(text.slice(at, colon), withoutSpace(text, colon + 1, end))
    at = end + 2
  }
  return fields
}

function withoutSpace(text: string, from: number, to: number): string {
  let [start, end] = [from, to]
  while (start < end && isSpace(text.charCodeAt(start))) start += 1
  while (end > start && isSpace(text.charCodeAt(end - 1))) end -= 1
  return text.slice(start, end)
}

function isSpace(code: number): boolean {
  return code === space || code === tab
}
