import { createHostScopes, type HostScope, type ServedGroup } from './host-scopes.ts'
import type { Operation } from './operation.ts'
import { noParameters, parametersIn, type PathParameters } from './path-template.ts'

/** What host, method and path of a request name. */
export type Match<G> =
  | {
      readonly kind: 'found'
      readonly operation: Operation<G>
      /** As they stand in the path: percent-encoding is kept. */
      readonly params: PathParameters
      readonly hostParams: PathParameters
    }
  | {
      readonly kind: 'method-not-allowed'
      /** Every method that the path has, sorted. */
      readonly allow: readonly string[]
      readonly group: G
    }
  /** The group is the one whose paths are nearest, for the shape of the answer alone. */
  | { readonly kind: 'not-found'; readonly group: G | undefined }
  | { readonly kind: 'host-unknown' }

/**
 * Say what a request names. Neither value is decoded or normalised here.
 *
 * @param host in lower case, without a port
 * @param path canonical, without the query string
 */
export type MatchRequest<G> = (host: string, method: string, path: string) => Match<G>

/**
 * Compile groups into one matching function. A request goes to the groups of its exact host first,
 * then to those whose host pattern matches, the most specific first, then to those of any host.
 */
export function createMatcher<G>(groups: readonly ServedGroup<G>[]): MatchRequest<G> {
  const scopesOf = createHostScopes(groups)
  return (host, method, path) => {
    const scopes = scopesOf(host)
    if (scopes.length === 0) return { kind: 'host-unknown' }
    const found = find(scopes, method, path)
    if (found === undefined) return missed(scopes, path)
    const { operation, hostParams } = found
    if (/[%;]/.test(path) && mayMeanAnother(operation, scopes, method, path)) {
      return { kind: 'not-found', group: operation.group }
    }
    return {
      kind: 'found',
      operation,
      params: parametersIn(operation.template, path),
      hostParams: hostParams.get(operation.group) ?? noParameters,
    }
  }
}

type Found<G> = Pick<HostScope<G>, 'hostParams'> & { readonly operation: Operation<G> }

function find<G>(
  scopes: readonly HostScope<G>[],
  method: string,
  path: string,
): Found<G> | undefined {
  for (const { table, hostParams } of scopes) {
    const operation = table.find(method, path)
    if (operation !== undefined) return { operation, hostParams }
  }
  return undefined
}

/**
 * Whether a service that decodes a path before it looks for the operation finds another one than
 * we do: `/links/a%3Afailover` is a link to us, and may be `/links/{id}:failover` to it. One that cuts
 * path parameters finds `/users/me` in `/users/me;a`. What opens the one must not open the other.
 */
function mayMeanAnother<G>(
  operation: Operation<G>,
  scopes: readonly HostScope<G>[],
  method: string,
  path: string,
): boolean {
  const decoded = path.replaceAll(encodedDelimiter, decodeURIComponent)
  const cut = decoded.replaceAll(/;[^/]*/g, '')
  return [decoded, cut].some((reading) => {
    const other = reading === path ? undefined : find(scopes, method, reading)
    return other !== undefined && other.operation !== operation
  })
}

/** The delimiters that a path segment may hold as they are (RFC 3986 §3.3), encoded. */
const encodedDelimiter = /%(?:2[14679ABC8]|3[ABD]|40)/g

function missed<G>(scopes: readonly HostScope<G>[], path: string): Match<G> {
  const operations = scopes.flatMap(({ table }) => [...table.operationsAt(path)])
  const [first] = operations
  if (first !== undefined) {
    const allow = [...new Set(operations.map(([method]) => method))].toSorted()
    return { kind: 'method-not-allowed', allow, group: first[1].group }
  }
  const [nearest] = scopes
    .flatMap(({ nearestGroup }) => nearestGroup(path) ?? [])
    .toSorted((a, b) => b.length - a.length)
  return { kind: 'not-found', group: nearest?.group }
}
