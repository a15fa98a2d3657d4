import { dereferenced, type OpenApiDocument } from './document.ts'
import { itemsOf, memberOf, membersOf, textOf } from './json.ts'

/** A parameter that an operation declares. */
export type Parameter = {
  readonly name: string
  readonly in: 'path' | 'query' | 'querystring' | 'header' | 'cookie'
  readonly required: boolean
  /** As the document has it; references within it lead into the document. */
  readonly schema: unknown
}

const locations: ReadonlySet<string> = new Set<Parameter['in']>([
  'path',
  'query',
  'querystring',
  'header',
  'cookie',
])

/**
 * The parameters of an operation: those of its path item, each replaced by the operation's where
 * name and location agree. Those that cannot be read are left out.
 *
 * @see OpenAPI 3.1.1 §4.8.12 (Parameter Object)
 */
export function parametersOf(
  document: OpenApiDocument,
  pathItem: unknown,
  operation: unknown,
): readonly Parameter[] {
  const parameters = new Map<string, Parameter>()
  for (const owner of [pathItem, operation]) {
    for (const node of itemsOf(dereferenced(document, memberOf(owner, 'parameters')))) {
      const parameter = parameterOf(document, dereferenced(document, node))
      if (parameter) parameters.set(`${parameter.in} ${parameter.name}`, parameter)
    }
  }
  return [...parameters.values()]
}

function parameterOf(document: OpenApiDocument, node: unknown): Parameter | undefined {
  const name = textOf(memberOf(node, 'name'))
  const location = textOf(memberOf(node, 'in'))
  if (name === undefined || location === undefined || !isLocation(location)) return undefined
  const [mediaType] = membersOf(memberOf(node, 'content'))
  const schema = memberOf(node, 'schema') ?? memberOf(mediaType?.[1], 'schema')
  return {
    name,
    in: location,
    required: location === 'path' || memberOf(node, 'required') === true,
    schema: dereferenced(document, schema),
  }
}

function isLocation(text: string): text is Parameter['in'] {
  return locations.has(text)
}
