import { refuse, type Refusal } from './refusal.ts'

/** The parameters of a request that mean something to its endpoint, each sent once and not empty. */
export type Form = {
  readonly kind: 'form'
  readonly values: ReadonlyMap<string, string>
}

const maxBytes = 64 * 1024

/**
 * Read the form of a request. Parameters that the endpoint does not know are ignored, and those
 * without a value count as not sent. What two readers could take differently is refused: a known
 * parameter that stands twice, escapes that are none, octets that are not UTF-8.
 *
 * Values go into a Map, so that no name is special.
 *
 * @param known the parameters that the endpoint knows
 * @see RFC 6749 §3.2 and appendix B
 */
export async function readForm(
  request: Request,
  known: ReadonlySet<string>,
): Promise<Form | Refusal> {
  if (!isForm(request.headers.get('content-type')))
    return refuse('invalid_request', 'The body must be application/x-www-form-urlencoded.')
  const text = await readBounded(request.body)
  if (typeof text !== 'string') return text
  return parseForm(text, known)
}

/** Clients name a charset, though the type has none; names and values are ASCII whatever it says. */
function isForm(contentType: string | null): boolean {
  return /^application\/x-www-form-urlencoded[ \t]*(?:;[ \t]*charset=[^;]*)?;?[ \t]*$/i.test(
    contentType ?? '',
  )
}

async function readBounded(body: ReadableStream<Uint8Array> | null): Promise<string | Refusal> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength
    if (bytes > maxBytes)
      return refuse('invalid_request', 'The body is longer than 64 KiB.', { status: 413 })
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('latin1')
}

function parseForm(text: string, known: ReadonlySet<string>): Form | Refusal {
  const values = new Map<string, string>()
  const seen = new Set<string>()
  for (const pair of text.split('&')) {
    const [name, value] = decodePair(pair)
    if (name === undefined || value === undefined) return malformed()
    if (!known.has(name)) continue
    if (seen.has(name)) return refuse('invalid_request', 'A parameter is present more than once.')
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

function malformed(): Refusal {
  return refuse('invalid_request', 'The body is not well-formed.')
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
