/**
 * What stands where in an OpenAPI document, as far as references go: each kind of object, and for
 * its members the kind of what they hold. What is not in the table holds no reference.
 *
 * @see OpenAPI 3.1.1 §4.8
 */
export const grammar: Readonly<Record<Kind, Readonly<Record<string, Member>>>> = {
  operation: {
    parameters: ['list', 'parameters'],
    requestBody: ['one', 'requestBodies'],
    responses: ['map', 'responses'],
  },
  parameters: {
    schema: ['one', 'schemas'],
    content: ['map', 'mediaType'],
    examples: ['map', 'examples'],
  },
  headers: {
    schema: ['one', 'schemas'],
    content: ['map', 'mediaType'],
    examples: ['map', 'examples'],
  },
  requestBodies: { content: ['map', 'mediaType'] },
  responses: {
    headers: ['map', 'headers'],
    content: ['map', 'mediaType'],
    links: ['map', 'links'],
  },
  mediaType: {
    schema: ['one', 'schemas'],
    examples: ['map', 'examples'],
    encoding: ['map', 'encoding'],
  },
  encoding: { headers: ['map', 'headers'] },
  examples: {},
  links: {},
  securitySchemes: {},
  schemas: {
    ...Object.fromEntries(
      ['properties', 'patternProperties', 'dependentSchemas'].map((name) => [
        name,
        ['map', 'schemas'] as const,
      ]),
    ),
    ...Object.fromEntries(
      ['allOf', 'anyOf', 'oneOf', 'prefixItems'].map((name) => [
        name,
        ['list', 'schemas'] as const,
      ]),
    ),
    ...Object.fromEntries(
      [
        ...['items', 'additionalProperties', 'not', 'if', 'then', 'else', 'contains'],
        ...['propertyNames', 'unevaluatedItems', 'unevaluatedProperties'],
      ].map((name) => [name, ['one', 'schemas'] as const]),
    ),
  },
}

export type Kind = ComponentKind | 'operation' | 'mediaType' | 'encoding'

/** Kinds that references lead to; called as under `components`. */
export type ComponentKind =
  | 'parameters'
  | 'headers'
  | 'requestBodies'
  | 'responses'
  | 'examples'
  | 'links'
  | 'securitySchemes'
  | 'schemas'

type Member = readonly ['one' | 'list' | 'map', Exclude<Kind, 'operation'>]

/** Members of operations that are said anew, and calls of the service's own. */
const leftOut: ReadonlySet<string> = new Set(['security', 'servers', 'callbacks'])

/** Names by which a schema is referred to: references here lead to components alone. */
const schemaNames: ReadonlySet<string> = new Set([
  ...['$id', '$anchor', '$schema', '$defs', 'definitions', '$dynamicRef', '$dynamicAnchor'],
  ...['$recursiveRef', '$recursiveAnchor', '$comment', '$vocabulary'],
])

/** Extensions that callers are meant to read; any other may be about what lies behind us. */
const shownExtensions: ReadonlySet<string> = new Set(['x-extensible-enum', 'x-enum-descriptions'])

/** Whether a member is shown to callers. */
export function isShown(kind: Kind, name: string): boolean {
  if (name === '$ref') return false
  if (name.startsWith('x-')) return shownExtensions.has(name)
  if (kind === 'operation') return !leftOut.has(name)
  if (kind === 'links') return name !== 'operationRef' && name !== 'server'
  return kind !== 'schemas' || !schemaNames.has(name)
}
