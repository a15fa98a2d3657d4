import type { Findings } from './findings.ts'
import { parseHostPattern, relateHosts, type HostRelation } from './host-pattern.ts'
import type { ServedGroup } from './host-scopes.ts'
import type { Operation } from './operation.ts'
import { bySpecificity, covers, type PathTemplate } from './path-template.ts'
import { createTemplateIndex, type TemplateIndex } from './template-index.ts'

/** A group by its name, which is what the operator knows it by. */
type Named = { readonly name: string }

/** Two operations of different groups that some path would reach both of. */
type Overlap<G> = { readonly first: Operation<G>; readonly second: Operation<G> }

/**
 * Report where two groups serve the same method at overlapping paths under overlapping hosts. A
 * problem where neither is the more specific, so that the answer would hang on the order of
 * something; a warning where one takes requests that the other's template matches too.
 */
export function reportOverlaps<G extends Named>(
  groups: readonly ServedGroup<G>[],
  findings: Findings,
): void {
  const placed = groups.map((served) => ({
    ...served,
    places: placesOf(served),
    index: indexOf(served.operations),
  }))
  placed.forEach((a, position) => {
    for (const b of placed.slice(position + 1)) {
      const relations = hostRelations(a.places, b.places)
      if (relations.size === 0) continue
      const overlaps = overlapsOf(a.operations, b.index)
      for (const relation of relations) reportPair(relation, overlaps, findings)
    }
  })
}

/** The hosts of a group as templates; undefined stands for any host. */
function placesOf<G>({ hosts }: ServedGroup<G>): readonly (PathTemplate | undefined)[] {
  return hosts.length === 0 ? [undefined] : hosts.flatMap((host) => parseHostPattern(host) ?? [])
}

function hostRelations(
  a: ReturnType<typeof placesOf>,
  b: ReturnType<typeof placesOf>,
): ReadonlySet<Exclude<HostRelation, 'disjoint'>> {
  const relations = new Set(a.flatMap((place) => b.map((other) => relateHosts(place, other))))
  return new Set([...relations].filter((relation) => relation !== 'disjoint'))
}

type MethodIndex<G> = ReadonlyMap<string, TemplateIndex<Operation<G>>>

function indexOf<G>(operations: readonly Operation<G>[]): MethodIndex<G> {
  const byMethod = Map.groupBy(operations, ({ method }) => method)
  return new Map([...byMethod].map(([method, own]) => [method, createTemplateIndex(own)]))
}

function overlapsOf<G>(
  operations: readonly Operation<G>[],
  index: MethodIndex<G>,
): readonly Overlap<G>[] {
  return operations.flatMap((first) => {
    const others = index.get(first.method)?.overlapping(first.template) ?? []
    return others.map((second) => ({ first, second }))
  })
}

function reportPair<G extends Named>(
  relation: Exclude<HostRelation, 'disjoint'>,
  overlaps: readonly Overlap<G>[],
  findings: Findings,
): void {
  const resolved: Overlap<G>[] = []
  for (const overlap of overlaps) {
    const winner = precedence(relation, overlap)
    if (winner === undefined) findings.problem(problemOf(overlap))
    else resolved.push(winner)
  }
  for (const pair of Map.groupBy(resolved, ({ first }) => first.group.name).values()) {
    const [example] = pair
    if (example !== undefined) findings.warning(warningOf(example, pair.length))
  }
}

/** The same overlap with the operation first that answers; undefined where that is not decided. */
function precedence<G>(
  relation: Exclude<HostRelation, 'disjoint'>,
  { first, second }: Overlap<G>,
): Overlap<G> | undefined {
  switch (relation) {
    case 'narrower':
      return { first, second }
    case 'wider':
      return { first: second, second: first }
    case 'crossing':
      return undefined
    case 'same': {
      const [a, b] = [first.template, second.template]
      if (a.shape === b.shape || !(covers(a, b) || covers(b, a))) return undefined
      return bySpecificity(a, b) < 0 ? { first, second } : { first: second, second: first }
    }
  }
}

function problemOf<G extends Named>({ first, second }: Overlap<G>): string {
  const [a, b] = [first, second].map(
    ({ group, method, path }) => `${method} ${path} of group "${group.name}"`,
  )
  return `${a ?? ''} and ${b ?? ''} overlap under the same host, and neither is more specific`
}

function warningOf<G extends Named>({ first, second }: Overlap<G>, count: number): string {
  const others = count > 1 ? ` (and ${count - 1} more)` : ''
  return `group "${first.group.name}" answers before group "${second.group.name}" where they overlap: ${first.method} ${first.path} before ${second.path}${others}`
}
