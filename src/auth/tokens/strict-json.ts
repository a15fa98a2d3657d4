/** An object as JSON.parse makes it: every member is its own, none is `__proto__`. */
export type JsonObject = Readonly<Record<string, unknown>>

type Limits = {
  /** Levels of arrays and objects, the outermost counted. */
  readonly maxDepth: number
  /** Members and elements in all. */
  readonly maxNodes: number
}

/**
 * Read JSON that two parsers cannot read differently: a member that stands twice is refused, since
 * one parser takes the first and another the last; so is `__proto__`, which does harm where an
 * object is copied. Depth and size are bounded before anything recursive sees the text; the time is
 * linear in its length.
 *
 * @returns undefined where the text is no such object
 * @see RFC 8259 §4, RFC 7515 §4
 */
export function readStrictJson(text: string, limits: Limits): JsonObject | undefined {
  if (!text.startsWith('{') || !hasDistinctMembers(text, limits)) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) ? value : undefined
  } catch {
    // Not JSON, which is what undefined says.
    return undefined
  }
}

/** Say whether a value is an object, and neither null nor an array. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * Walk the text from one string or structural character to the next. The grammar is left to
 * JSON.parse: in a text that it accepts, the strings before a colon are the names, and nothing
 * else is.
 */
export function hasDistinctMembers(text: string, { maxDepth, maxNodes }: Limits): boolean {
  // Sticky, so that an unterminated string ends the walk where it begins; a search would start
  // again at every quote, and be quadratic.
  const next = /[^"{}[\]:,]*("(?:[^"\\]|\\.)*"(?<name>\s*:)?|[{}[\]:,])/sy
  const open: Set<string>[] = []
  let nodes = 0
  for (let end = 0; end < text.length; end = next.lastIndex) {
    const found = next.exec(text)
    const token = found?.[1]
    if (token === undefined) return isBlank(text, end)
    switch (token) {
      case '{':
      case '[':
        open.push(new Set())
        if (open.length > maxDepth || ++nodes > maxNodes) return false
        break
      case '}':
      case ']':
        open.pop()
        break
      case ',':
      case ':':
        if (++nodes > maxNodes) return false
        break
      default:
        if (found?.groups?.['name'] !== undefined && !addName(open.at(-1), token)) return false
    }
  }
  return true
}

function isBlank(text: string, start: number): boolean {
  return start > 0 && /^[ \t\n\r]*$/.test(text.slice(start))
}

function addName(names: Set<string> | undefined, token: string): boolean {
  const name = unescaped(token.slice(0, token.lastIndexOf('"') + 1))
  if (name === undefined || name === '__proto__' || names?.has(name) !== false) return false
  names.add(name)
  return true
}

/** `"\u0061"` and `"a"` are one name. */
function unescaped(quoted: string): string | undefined {
  if (!quoted.includes('\\')) return quoted.slice(1, -1)
  try {
    return String(JSON.parse(quoted))
  } catch {
    // An escape that JSON does not know.
    return undefined
  }
}
