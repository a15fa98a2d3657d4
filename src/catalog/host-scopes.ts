import { hostAsPath, parseHostPattern } from './host-pattern.ts'
import { createNearestGroup, type NearestGroup } from './nearest-group.ts'
import type { Operation } from './operation.ts'
import {
  bySpecificity,
  matches,
  parameterNames,
  parametersIn,
  type PathParameters,
  type PathTemplate,
} from './path-template.ts'
import { createRouteTable, type RouteTable } from './route-table.ts'

/** A group, the hosts it is served under (none: any), and its operations. */
export type ServedGroup<G> = {
  readonly group: G
  readonly hosts: readonly string[]
  readonly operations: readonly Operation<G>[]
}

/** The groups that share a host, or a pattern of hosts, or that answer under any host. */
export type HostScope<G> = {
  readonly table: RouteTable<G>
  readonly nearestGroup: (path: string) => NearestGroup<G> | undefined
  /** The values of the host's parameters; groups may name them differently. */
  readonly hostParams: ReadonlyMap<G, PathParameters>
}

type Pattern<G> = {
  readonly template: PathTemplate
  readonly scope: HostScope<G>
  /** The pattern as each group wrote it. */
  readonly templates: ReadonlyMap<G, PathTemplate>
}

/** Enough for every host that is in use; beyond it, somebody is making them up. */
const maxRememberedHosts = 1000

/**
 * Compile groups into a function that says which scopes a host belongs to, in the order in which
 * they are to be asked; none where nothing is served under the host.
 */
export function createHostScopes<G>(
  groups: readonly ServedGroup<G>[],
): (host: string) => readonly HostScope<G>[] {
  const patterns = patternsOf(groups)
  const exact = new Map(
    patterns.filter(isExact).map(({ template, scope }) => [template.text, scope]),
  )
  const templated = patterns.filter((pattern) => !isExact(pattern))
  const everywhere = groups.filter(({ hosts }) => hosts.length === 0)
  const anyHost = everywhere.length === 0 ? [] : [createScope(everywhere)]
  const remembered = new Map<string, readonly HostScope<G>[]>()

  return (host) => {
    const known = remembered.get(host)
    if (known !== undefined) return known
    const named = exact.get(hostAsPath(host)) ?? []
    const scopes = [named, scopesByPattern(templated, host), anyHost].flat()
    if (remembered.size >= maxRememberedHosts) remembered.clear()
    remembered.set(host, scopes)
    return scopes
  }
}

function isExact<G>({ template }: Pattern<G>): boolean {
  return parameterNames(template).length === 0
}

function scopesByPattern<G>(
  patterns: readonly Pattern<G>[],
  host: string,
): readonly HostScope<G>[] {
  const path = hostAsPath(host)
  return patterns
    .filter(({ template }) => matches(template, path))
    .map(({ scope, templates }) => {
      const values = [...templates].map(([group, own]) => [group, parametersIn(own, path)] as const)
      return { ...scope, hostParams: new Map(values) }
    })
}

/** One pattern for each shape of host, the most specific first. */
function patternsOf<G>(groups: readonly ServedGroup<G>[]): readonly Pattern<G>[] {
  const written = groups.flatMap((served) =>
    served.hosts.flatMap((host) => {
      const template = parseHostPattern(host)
      return template === undefined ? [] : [{ served, template }]
    }),
  )
  const createSharedScope = sharingScopes<G>(groups)
  return [...Map.groupBy(written, ({ template }) => template.shape).values()]
    .flatMap((members) => {
      const templates = new Map(members.map(({ served, template }) => [served.group, template]))
      const scope = createSharedScope(new Set(members.map(({ served }) => served)))
      return members.slice(0, 1).map(({ template }) => ({ template, scope, templates }))
    })
    .toSorted((a, b) => bySpecificity(a.template, b.template))
}

/** A group is often served under many hosts, and its table need not be built for each of them. */
function sharingScopes<G>(
  groups: readonly ServedGroup<G>[],
): (members: ReadonlySet<ServedGroup<G>>) => HostScope<G> {
  const scopes = new Map<string, HostScope<G>>()
  return (members) => {
    const key = [...members].map((member) => groups.indexOf(member)).join()
    const scope = scopes.get(key) ?? createScope([...members])
    scopes.set(key, scope)
    return scope
  }
}

function createScope<G>(groups: readonly ServedGroup<G>[]): HostScope<G> {
  const operations = groups.flatMap((served) => served.operations)
  return {
    table: createRouteTable(operations),
    nearestGroup: createNearestGroup(
      operations,
      groups.every(({ hosts }) => hosts.length === 0),
    ),
    hostParams: new Map(),
  }
}
