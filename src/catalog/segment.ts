/**
 * One segment of a path template: literal text and parameters in turn, beginning and ending with
 * literal text, which may be empty. `{name}.json` has the literals '' and '.json'.
 */
export type Segment = { readonly literals: readonly string[]; readonly names: readonly string[] }

/** Stands for a parameter's value; no request path holds it, since those are bytes. */
export const anyValue = '\u{E000}'

/** @param text without a slash, its braces in pairs */
export function parseSegment(text: string): Segment {
  const parts = text.split(/[{}]/)
  return {
    literals: parts.filter((_, index) => index % 2 === 0).map(canonicalLiteral),
    names: parts.filter((_, index) => index % 2 === 1),
  }
}

/** The form that literal text of a path has in a canonical request path. */
export function canonicalLiteral(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/%[0-9A-Fa-f]{2}|[^A-Za-z0-9\-._~!$&'()*+,;=:@/]/gu, (found) => {
      if (found.length < 3) return encodeURIComponent(found)
      const decoded = String.fromCharCode(Number.parseInt(found.slice(1), 16))
      return /[A-Za-z0-9\-._~]/.test(decoded) ? decoded : found.toUpperCase()
    })
}

/** The same for two segments that match the same texts, whatever their parameters are called. */
export function shapeOf({ literals }: Segment): string {
  return literals.join(anyValue)
}

/** A segment that is one parameter and nothing else. */
export function isWholeParameter({ literals }: Segment): boolean {
  return literals.length === 2 && literals[0] === '' && literals[1] === ''
}

/**
 * The values that a segment of a request path gives to a segment's parameters, in order. Where
 * several divisions are possible, earlier parameters are as short as can be. The time is linear in
 * the text for each parameter, which a regular expression would not guarantee.
 *
 * @returns undefined where the segment does not match; a value is never empty
 */
export function valuesIn({ literals, names }: Segment, text: string): string[] | undefined {
  const first = literals[0] ?? ''
  const last = literals.at(-1) ?? ''
  if (names.length === 0) return text === first ? [] : undefined
  const end = text.length - last.length
  if (!text.startsWith(first) || !text.endsWith(last)) return undefined
  const values: string[] = []
  let start = first.length
  for (const literal of literals.slice(1, -1)) {
    const next = text.indexOf(literal, start + 1)
    if (next === -1) return undefined
    values.push(text.slice(start, next))
    start = next + literal.length
  }
  if (start >= end) return undefined
  values.push(text.slice(start, end))
  return values
}

/** Whether every text that `special` matches is matched by `general` too. */
export function segmentCovers(general: Segment, special: Segment): boolean {
  // `anyValue` is in no literal, so where it matches, it is within a value: any value does, then.
  return valuesIn(general, shapeOf(special)) !== undefined
}

/** Whether some text is matched by both; of two with several parameters it may be said in doubt. */
export function segmentsOverlap(a: Segment, b: Segment): boolean {
  if (segmentCovers(a, b) || segmentCovers(b, a)) return true
  if (a.names.length === 0 || b.names.length === 0) return false
  return (
    isAffix(a.literals[0], b.literals[0], (text, part) => text.startsWith(part)) &&
    isAffix(a.literals.at(-1), b.literals.at(-1), (text, part) => text.endsWith(part))
  )
}

function isAffix(a = '', b = '', has: (text: string, part: string) => boolean): boolean {
  return has(a, b) || has(b, a)
}

/**
 * Order segments so that the more specific comes first: literal text, text with parameters, a whole
 * parameter. A segment that another covers has at least its literal characters, and as many only
 * with more parameters.
 */
export function compareSegments(a: Segment, b: Segment): number {
  const order =
    rank(a) - rank(b) ||
    b.literals.join('').length - a.literals.join('').length ||
    b.names.length - a.names.length
  if (order !== 0) return order
  const [shape, other] = [shapeOf(a), shapeOf(b)]
  return shape === other ? 0 : shape < other ? -1 : 1
}

function rank(segment: Segment): number {
  if (segment.names.length === 0) return 0
  return isWholeParameter(segment) ? 2 : 1
}
