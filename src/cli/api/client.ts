import { CliError, exitCodes, type ExitCode } from './exit.ts'
import type { Profile } from './profile.ts'

/** A JSON value whose members are looked at one by one. */
export type Json = Readonly<Record<string, unknown>>

/** One answer of the API. */
export type ApiAnswer = { readonly status: number; readonly headers: Headers; readonly body: Json }

/** Calls the API. */
export type ApiClient = {
  /**
   * @param path with its query string; an absolute URL only where it leads to the same gateway
   * @throws {CliError} for every answer but 2xx, and where there is none
   */
  readonly call: (method: string, path: string, body?: Payload) => Promise<ApiAnswer>
}

/** What is sent with a call. */
export type Payload = {
  readonly contentType: string
  readonly text: string
  /** The entity tag that the object must still have. */
  readonly ifMatch?: string | undefined
}

/** For one answer, whole. */
const timeoutMs = 30_000

export function createApiClient({ url, authorization }: Profile): ApiClient {
  return {
    async call(method, path, payload) {
      const target = new URL(path, `${url}/`)
      // Credentials go nowhere else.
      if (target.origin !== new URL(url).origin) {
        throw new CliError(exitCodes.refused, `A link leads elsewhere: ${target.origin}`)
      }
      const answer = await request(target, {
        method,
        headers: headersOf(authorization, payload),
        body: payload?.text ?? null,
        redirect: 'error',
        signal: AbortSignal.timeout(timeoutMs),
      })
      if (answer.status >= 200 && answer.status < 300) return answer
      throw new CliError(exitCodeOf(answer.status), explained(answer))
    },
  }
}

/** A body of JSON, or of a merge patch (RFC 7396). */
export function json(value: unknown, contentType = 'application/json'): Payload {
  return { contentType, text: JSON.stringify(value) }
}

async function request(target: URL, init: RequestInit): Promise<ApiAnswer> {
  try {
    const response = await fetch(target, init)
    const text = await response.text()
    return { status: response.status, headers: response.headers, body: objectIn(text) }
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new CliError(exitCodes.unavailable, `${target.origin} does not answer: ${reason}`)
  }
}

function headersOf(authorization: string | undefined, payload: Payload | undefined): Headers {
  const headers = new Headers({ accept: 'application/json' })
  if (authorization !== undefined) headers.set('authorization', authorization)
  if (payload !== undefined) headers.set('content-type', payload.contentType)
  if (payload?.ifMatch !== undefined) headers.set('if-match', payload.ifMatch)
  return headers
}

function objectIn(text: string): Json {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Json) : {}
  } catch {
    return {}
  }
}

function exitCodeOf(status: number): ExitCode {
  if (status === 401 || status === 403) return exitCodes.denied
  if (status === 404) return exitCodes.notFound
  return status === 429 || status >= 500 ? exitCodes.unavailable : exitCodes.refused
}

/** What the envelope says, for people: what happened, where, what to do, and how to ask about it. */
function explained({ status, headers, body }: ApiAnswer): string {
  const error = errorIn(body)
  const lines = [
    `${status} ${textOf(error['code']) ?? ''}: ${textOf(error['message']) ?? 'no reason given'}`,
  ]
  const fields = Array.isArray(error['fields']) ? (error['fields'] as readonly Json[]) : []
  for (const field of fields) {
    lines.push(
      `  ${textOf(field['pointer'] ?? field['parameter']) ?? ''}: ${textOf(field['message']) ?? ''}`,
    )
  }
  const retryAfter = headers.get('retry-after')
  const conflict = status === 409 ? headers.get('location') : null
  lines.push(
    ...[
      textOf(error['details']),
      textOf(error['suggestion']),
      conflict === null ? undefined : `In the way stands ${conflict}`,
      retryAfter === null ? undefined : `Try again after ${retryAfter} s.`,
      `Request id: ${headers.get('x-request-id') ?? 'none'}`,
    ].filter((line) => line !== undefined),
  )
  return lines.join('\n')
}

/** In the envelope, or as token endpoints say it (RFC 6749 §5.2). */
function errorIn({ error, error_description: message }: Json): Json {
  if (typeof error === 'string') return { code: error, message }
  return typeof error === 'object' && error !== null ? (error as Json) : {}
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
