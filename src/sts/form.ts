import { readStrictJson } from '../auth/tokens/strict-json.ts'
import { problem, type Problem } from './problem.ts'

/** Fields that mean something here, if only that the request is refused. All others are ignored. */
const fieldNames = [
  'grant_type',
  'subject_token',
  'subject_token_type',
  'requested_token_type',
  'identity_pool_id',
  'expires_in',
  'audience',
  'resource',
  'scope',
  'actor_token',
] as const

export type FieldName = (typeof fieldNames)[number]

/** The known fields that were sent with a value. */
export type Fields = {
  readonly kind: 'fields'
  readonly get: (name: FieldName) => string | undefined
}

/** Bodies are at most 64 KiB; these bound what noise fields such as `metadata` may hold. */
const jsonLimits = { maxDepth: 8, maxNodes: 1_000 }

/**
 * Read a body of the type `application/x-www-form-urlencoded`.
 *
 * @see RFC 6749 §3.2: a field without a value counts as left out, and none may be sent twice
 */
export function readForm(text: string): Fields | Problem {
  const form = new URLSearchParams(text)
  return fieldsOf((name) => form.getAll(name))
}

/** Read a JSON object with the same fields; a number may stand for its digits, null for nothing. */
export function readJsonFields(text: string): Fields | Problem {
  const body = readStrictJson(text.trim(), jsonLimits)
  if (body === undefined)
    return problem('invalid_request', 'The body is not a JSON object, or a member stands twice.')
  return fieldsOf((name) => [body[name]])
}

/**
 * The names asked for are ours and what is found goes into a map, so that no name that a caller
 * makes up, such as `__proto__`, becomes a member of anything.
 */
function fieldsOf(valuesOf: (name: FieldName) => readonly unknown[]): Fields | Problem {
  const fields = new Map<FieldName, string>()
  for (const name of fieldNames) {
    const values = valuesOf(name)
    if (values.length > 1)
      return problem('invalid_request', `The field ${name} is sent more than once.`)
    const value = typeof values[0] === 'number' ? String(values[0]) : (values[0] ?? '')
    if (typeof value !== 'string')
      return problem('invalid_request', `The field ${name} is not a string.`)
    if (value !== '') fields.set(name, value)
  }
  return { kind: 'fields', get: (name) => fields.get(name) }
}
