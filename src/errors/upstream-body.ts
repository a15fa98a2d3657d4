import type { ErrorProfile } from './profile.ts'

type Json = Readonly<Record<string, unknown>>

/**
 * Say whether an upstream's error body already has the shape of a profile, so that it may pass.
 *
 * @param body the parsed JSON body
 */
export function hasShape(profile: ErrorProfile, body: unknown): body is Json {
  return isObject(body) && recognisers[profile](body)
}

const recognisers: Readonly<Record<ErrorProfile, (body: Json) => boolean>> = {
  standard: (body) =>
    isObject(body['error']) &&
    typeof body['error']['code'] === 'string' &&
    typeof body['error']['message'] === 'string',
  connect: (body) =>
    isObject(body['error']) &&
    typeof body['error']['code'] === 'number' &&
    typeof body['error']['message'] === 'string',
  'kafka-rest': hasErrorCode,
  'schema-registry': hasErrorCode,
  'json-api': (body) =>
    Array.isArray(body['errors']) && body['errors'].length > 0 && body['errors'].every(isObject),
  oauth: (body) => typeof body['error'] === 'string',
}

function hasErrorCode(body: Json): boolean {
  return typeof body['error_code'] === 'number' && typeof body['message'] === 'string'
}

/**
 * Say whether a 400 means an exceeded quota, which some services answer instead of 402.
 *
 * @param text the body as sent, whatever its shape
 * @param phrases that only such a body holds, in lower case; case is no matter in the text
 */
export function isQuotaExceeded(text: string, phrases: readonly string[]): boolean {
  if (phrases.length === 0) return false
  const lower = text.toLowerCase()
  return phrases.some((phrase) => lower.includes(phrase))
}

/**
 * Add the request id to a body that has none, without touching the rest of it: numbers beyond
 * 2^53 and unknown members survive.
 *
 * @param text the JSON text of an object in the shape of `profile`
 * @param body the same, parsed
 */
export function withRequestId(
  profile: ErrorProfile,
  text: string,
  body: Json,
  requestId: string,
): string {
  if (profile === 'json-api' && !everyErrorHasId(body)) return withErrorIds(text, requestId)
  if (profile === 'json-api' || body['requestId'] !== undefined) return text
  const open = text.indexOf('{') + 1
  const separator = Object.keys(body).length === 0 ? '' : ','
  return `${text.slice(0, open)}"requestId":${JSON.stringify(requestId)}${separator}${text.slice(open)}`
}

function everyErrorHasId(body: Json): boolean {
  const errors: unknown = body['errors']
  return Array.isArray(errors) && errors.every((error) => isObject(error) && 'id' in error)
}

/** Clients of this shape read `errors[].id`, so the text must be parsed; numbers stay as written. */
function withErrorIds(text: string, requestId: string): string {
  const parsed: unknown = JSON.parse(text, keepNumberText)
  if (!isObject(parsed) || !Array.isArray(parsed['errors'])) return text
  const errors = parsed['errors'].map((error: unknown) =>
    isObject(error) ? { id: requestId, ...error } : error,
  )
  return JSON.stringify({ ...parsed, errors })
}

/** A reviver of JSON.parse; `source` is the text of the number (ECMAScript JSON.parse source access). */
function keepNumberText(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || context?.source === undefined) return value
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(context.source)
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
