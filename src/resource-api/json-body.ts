import type { z } from 'zod'
import { GatewayError, type InvalidField } from '../errors/gateway-error.ts'

/** Deeper bodies are refused: what reads them calls itself for each level. */
const maxDepth = 32

/**
 * Read the body of a request as a JSON object.
 *
 * @param mediaTypes accepted in Content-Type, without parameters; the field may be absent
 * @throws {GatewayError} UNSUPPORTED_MEDIA_TYPE, INVALID_REQUEST
 */
export async function readJsonObject(
  request: Request,
  mediaTypes: readonly string[],
): Promise<object> {
  const field = request.headers.get('content-type')
  const mediaType = (field?.split(';')[0] ?? '').trim().toLowerCase()
  if (mediaType !== '' && !mediaTypes.includes(mediaType))
    throw new GatewayError('UNSUPPORTED_MEDIA_TYPE', {
      details: `The operation takes ${mediaTypes.join(' or ')}.`,
    })
  const body = parsed(await request.text())
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new GatewayError('INVALID_REQUEST', { details: 'The body is not a JSON object.' })
  if (isDeeper(body, maxDepth))
    throw new GatewayError('INVALID_REQUEST', { details: 'The body is nested too deeply.' })
  return body
}

/**
 * Hold a value against a schema; members that the schema does not know are left out.
 *
 * @throws {GatewayError} VALIDATION_FAILED with every field
 */
export function validated<Value>(schema: z.ZodType<Value>, value: unknown): Value {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  throw invalidFields(
    result.error.issues.map(({ path, message }) => ({ pointer: pointerOf(path), message })),
  )
}

/** The error that lists fields. */
export function invalidFields(fields: readonly InvalidField[]): GatewayError {
  return new GatewayError('VALIDATION_FAILED', { fields })
}

/** A JSON Pointer (RFC 6901 §3); that of the whole body is empty. */
function pointerOf(path: readonly PropertyKey[]): string {
  return path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new GatewayError('INVALID_REQUEST', { details: 'The body is not JSON.', cause })
  }
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((member) => isDeeper(member, levels - 1))
}
