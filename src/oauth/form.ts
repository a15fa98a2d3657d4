import { readOAuthForm, type OAuthForm } from '../auth/oauth-form.ts'
import { refuse, type Refusal } from './refusal.ts'

/** The parameters of a request that mean something to its endpoint. */
type Form = Extract<OAuthForm, { kind: 'form' }>

const maxBytes = 64 * 1024

/**
 * Read the form of a request.
 *
 * @param known the parameters that the endpoint knows; others are ignored
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
  return /^application\/x-www-form-urlencoded[ \t]*(?:;[ \t]*charset=[^;]*)?(?:;[ \t]*)?$/i.test(
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
  const form = readOAuthForm(text, known)
  switch (form.kind) {
    case 'form':
      return form
    case 'malformed':
      return refuse('invalid_request', 'The body is not well-formed.')
    case 'repeated':
      return refuse('invalid_request', 'A parameter is present more than once.')
  }
}
