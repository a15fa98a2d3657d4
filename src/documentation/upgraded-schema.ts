import type { Json } from './json.ts'

/**
 * A schema in the terms of OpenAPI 3.1, where `nullable` is a type and exclusive bounds are numbers.
 * What is wrong in any version is left out.
 *
 * @param isOld whether it was written for OpenAPI 3.0
 */
export function upgraded(schema: Json, isOld: boolean): Json {
  const { nullable, required, examples, exclusiveMinimum, exclusiveMaximum, ...rest } = schema
  return {
    ...rest,
    ...(Array.isArray(required) ? { required: [...new Set<unknown>(required)] } : {}),
    ...(Array.isArray(examples) ? { examples } : {}),
    ...(isOld ? nullableType(rest, nullable === true) : {}),
    ...exclusive('exclusiveMinimum', exclusiveMinimum, rest['minimum']),
    ...exclusive('exclusiveMaximum', exclusiveMaximum, rest['maximum']),
  }
}

function nullableType({ type, enum: listed }: Json, isNullable: boolean): Json {
  // Without a type it allows nothing more (OpenAPI 3.0.4 §4.7.24).
  if (!isNullable || typeof type !== 'string') return {}
  const closed = Array.isArray(listed) && !listed.includes(null)
  return { type: [type, 'null'], ...(closed ? { enum: [...(listed as unknown[]), null] } : {}) }
}

function exclusive(name: string, value: unknown, bound: unknown): Json {
  if (typeof value === 'number') return { [name]: value }
  return value === true && typeof bound === 'number' ? { [name]: bound } : {}
}
