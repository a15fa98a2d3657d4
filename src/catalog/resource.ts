import type { PathParameters } from './path-template.ts'

/** Where a value stands in a request: the name of a parameter, a header field or a host parameter. */
type ValueSource =
  | { readonly path: string }
  | { readonly query: string }
  | { readonly header: string }
  | { readonly host: string }

/** How the resource that a group's operations act on is told from a request. */
export type ResourceRule = {
  /** Kind of the resource, as API keys name it. */
  readonly kind: string
  readonly id: ValueSource
  readonly environment?: ValueSource | undefined
}

/** The resource that an operation acts on. */
export type OperationResource = {
  readonly kind: string
  readonly id: string
  readonly environment: string | undefined
}

/** What matching found: path and host parameters, still percent-encoded. */
type MatchedParameters = { readonly params: PathParameters; readonly hostParams: PathParameters }

/** What else of a request a rule may look at. */
export type RequestParts = {
  /** The raw query string, with or without its question mark. */
  readonly query: string
  /** The value of a header field by its name in lower case; undefined where it is absent. */
  readonly header: (name: string) => string | undefined
}

/**
 * Tell which resource an operation acts on.
 *
 * @returns undefined where there is no rule, or where the request does not name exactly one
 *   resource: a value that is given twice could be read differently by the service behind
 */
export function resourceOf(
  rule: ResourceRule | undefined,
  match: MatchedParameters,
  request: RequestParts,
): OperationResource | undefined {
  if (rule === undefined) return undefined
  const [id, ...otherIds] = valuesOf(rule.id, match, request)
  const [environment, ...otherEnvironments] =
    rule.environment === undefined ? [] : valuesOf(rule.environment, match, request)
  if (id === undefined || id === '') return undefined
  if (otherIds.length > 0 || otherEnvironments.length > 0) return undefined
  return { kind: rule.kind, id, environment: environment === '' ? undefined : environment }
}

/** Every value that the request has there, percent-decoded once where it is encoded. */
function valuesOf(
  source: ValueSource,
  match: MatchedParameters,
  request: RequestParts,
): readonly string[] {
  if ('query' in source) return new URLSearchParams(request.query).getAll(source.query)
  if ('header' in source) return listOf(request.header(source.header.toLowerCase())?.trim())
  if ('host' in source) return listOf(match.hostParams[source.host])
  return listOf(decoded(match.params[source.path]))
}

function listOf(value: string | undefined): readonly string[] {
  return value === undefined ? [] : [value]
}

function decoded(value: string | undefined): string | undefined {
  try {
    return value === undefined ? undefined : decodeURIComponent(value)
  } catch {
    // As it stands it is the id of nothing, which is what it must not be mistaken for.
    return value
  }
}
