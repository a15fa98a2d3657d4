import type { Findings } from './findings.ts'
import { memberOf, textOf } from './json.ts'
import type { Parameter } from './parameters.ts'
import { parameterNames, type PathParameters, type PathTemplate } from './path-template.ts'

/** What an operation acts on, within the caller's organization: from the outermost inwards. */
export type CrnTemplate = readonly TemplateElement[]

type TemplateElement = { readonly kind: string; readonly id: IdSource }

/** Where an id comes from: a text, or a parameter of the path or of the query. */
type IdSource =
  { readonly literal: string } | { readonly path: string } | { readonly query: string }

/** One step of a resource's place. */
export type CrnElement = { readonly kind: string; readonly id: string }

/** What an operation has that a template may name. */
type Nameable = { readonly template: PathTemplate; readonly parameters: readonly Parameter[] }

/**
 * Read what an operation acts on: `environment={environment_id}/service-account={id}`, where braces
 * hold the name of a parameter. `x-gatehouse-crn` of the operation counts before that of its path
 * item, and both before what is configured for the group. Nothing: the organization itself.
 *
 * A name that the operation does not have is a problem in its own template; in the others it ends
 * the template there, since they are written for the operations below one path.
 *
 * @param configured the group's own, absent or empty where it has none
 */
export function crnTemplateOf(
  owners: { readonly operation: unknown; readonly pathItem: unknown },
  configured: string | undefined,
  nameable: Nameable,
  findings: Findings,
): CrnTemplate {
  const own = memberOf(owners.operation, 'x-gatehouse-crn')
  const shared = memberOf(owners.pathItem, 'x-gatehouse-crn')
  const text = textOf(own ?? shared ?? configured ?? '')
  const elements = text === '' ? [] : text?.split('/').map((part) => elementOf(part, nameable))
  if (elements === undefined || elements.includes('malformed')) {
    findings.problem(
      'what it acts on (x-gatehouse-crn, or crn of the group) is not of the form kind={parameter}/kind=id',
    )
    return []
  }
  const end = elements.findIndex((element) => typeof element === 'string')
  if (end !== -1 && typeof own === 'string') {
    findings.problem('its x-gatehouse-crn names a parameter that is in neither path nor query')
  }
  const known = end === -1 ? elements : elements.slice(0, end)
  return known.filter((element) => typeof element !== 'string')
}

/**
 * What a request acts on. Where the query leaves a parameter out, names it twice or gives a list,
 * the elements end before it: the caller then needs the permission on what is around it.
 *
 * @param params as they stand in the path, percent-encoded
 * @param query raw, with or without its question mark
 */
export function crnElementsOf(
  template: CrnTemplate,
  params: PathParameters,
  query: string,
): readonly CrnElement[] {
  const elements: CrnElement[] = []
  for (const { kind, id: source } of template) {
    const id = idOf(source, params, query)
    if (id === undefined || id === '') break
    elements.push({ kind, id })
  }
  return elements
}

function elementOf(
  text: string,
  { template, parameters }: Nameable,
): TemplateElement | 'malformed' | 'unknown' {
  const parsed = /^([a-z][a-z0-9-]*)=(?:\{([^{}]+)\}|([A-Za-z0-9._~-]+))$/.exec(text)
  const [, kind, name, literal] = parsed ?? []
  if (kind === undefined) return 'malformed'
  if (literal !== undefined) return { kind, id: { literal } }
  if (name === undefined) return 'malformed'
  if (parameterNames(template).includes(name)) return { kind, id: { path: name } }
  const isInQuery = parameters.some(
    (parameter) => parameter.in === 'query' && parameter.name === name,
  )
  return isInQuery ? { kind, id: { query: name } } : 'unknown'
}

function idOf(source: IdSource, params: PathParameters, query: string): string | undefined {
  if ('literal' in source) return source.literal
  if ('path' in source) return decoded(params[source.path])
  const [value, ...others] = new URLSearchParams(query).getAll(source.query)
  // "a,b" is two values to a service that takes lists, and would pass for one that begins with a.
  return others.length > 0 || value?.includes(',') === true ? undefined : value
}

/** What cannot be decoded stands for itself, which is the id of nothing. */
function decoded(value: string | undefined): string | undefined {
  try {
    return value === undefined ? undefined : decodeURIComponent(value)
  } catch {
    return value
  }
}
