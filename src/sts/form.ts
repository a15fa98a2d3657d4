import { readOAuthForm } from '../auth/oauth-form.ts'
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

const knownFields: ReadonlySet<string> = new Set(fieldNames)

/** Read a body of the type `application/x-www-form-urlencoded`. */
export function readForm(text: string): Fields | Problem {
  const form = readOAuthForm(text, knownFields)
  switch (form.kind) {
    case 'form':
      return { kind: 'fields', get: (name) => form.values.get(name) }
    case 'malformed':
      return problem('invalid_request', 'The body is not a well-formed form.')
    case 'repeated':
      return problem('invalid_request', `The field ${form.name} is sent more than once.`)
  }
}

/** Read a JSON object with the same fields; a number may stand for its digits, null for nothing. */
export function readJsonFields(text: string): Fields | Problem {
  const body = readStrictJson(text.trim(), jsonLimits)
  if (body === undefined)
    return problem('invalid_request', 'The body is not a JSON object, or a member stands twice.')
  // The names asked for are ours, so that no name that a caller makes up becomes a member of anything.
  const fields = new Map<FieldName, string>()
  for (const name of fieldNames) {
    const value = typeof body[name] === 'number' ? String(body[name]) : (body[name] ?? '')
    if (typeof value !== 'string')
      return problem('invalid_request', `The field ${name} is not a string.`)
    if (value !== '') fields.set(name, value)
  }
  return { kind: 'fields', get: (name) => fields.get(name) }
}
