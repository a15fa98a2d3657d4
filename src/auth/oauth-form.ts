/** The parameters of an OAuth request, or why they cannot be told. */
export type OAuthForm =
  /** Each was sent once and is not empty. A Map, so that no name is special. */
  | { readonly kind: 'form'; readonly values: ReadonlyMap<string, string> }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'repeated'; readonly name: string }

/**
 * Read a body of the type `application/x-www-form-urlencoded`. Parameters that are not known are
 * ignored, and those without a value count as not sent. What two readers could take differently is
 * refused: a known parameter that stands twice, escapes that are none, octets that are not UTF-8.
 *
 * @see RFC 6749 §3.2 and appendix B
 */
export function readOAuthForm(text: string, known: ReadonlySet<string>): OAuthForm {
  const values = new Map<string, string>()
  const seen = new Set<string>()
  for (const pair of text.split('&')) {
    const [name, value] = decodePair(pair)
    if (name === undefined || value === undefined) return { kind: 'malformed' }
    if (!known.has(name)) continue
    if (seen.has(name)) return { kind: 'repeated', name }
    seen.add(name)
    if (value !== '') values.set(name, value)
  }
  return { kind: 'form', values }
}

function decodePair(pair: string): readonly [string | undefined, string | undefined] {
  const equals = pair.indexOf('=')
  if (equals < 0) return [decodeFormText(pair), '']
  return [decodeFormText(pair.slice(0, equals)), decodeFormText(pair.slice(equals + 1))]
}

/** Decode one name or value, or undefined where it is no encoding of a text in UTF-8. */
export function decodeFormText(text: string): string | undefined {
  if (/[^\x20-\x7E]/.test(text)) return undefined
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    // Not an escape, or not UTF-8.
    return undefined
  }
}
