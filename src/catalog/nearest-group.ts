import type { Operation } from './operation.ts'

/** A group and how many characters of the path lead to it. */
export type NearestGroup<G> = { readonly group: G; readonly length: number }

/**
 * Prepare to say whose a path most likely is that no operation has: the group that shares the
 * longest literal prefix with it, in whole segments; of several, the one that was configured first.
 *
 * @param sharesHost whether the groups have nothing in common but that they answer under any host:
 *   then the root is nobody's, unless there is only one
 */
export function createNearestGroup<G>(
  operations: readonly Operation<G>[],
  sharesHost: boolean,
): (path: string) => NearestGroup<G> | undefined {
  const groups = new Map<string, G>()
  for (const operation of operations) {
    for (const prefix of literalPrefixes(operation)) {
      if (!groups.has(prefix)) groups.set(prefix, operation.group)
    }
  }
  const [first] = operations
  const isShared = sharesHost && operations.some(({ group }) => group !== first?.group)

  return (path) => {
    let nearest = first && !isShared ? { group: first.group, length: 0 } : undefined
    // Prefixes of known prefixes are known, so the first unknown one ends the search.
    for (let end = nextEnd(path, 0); end !== undefined; end = nextEnd(path, end)) {
      const group = groups.get(path.slice(0, end))
      if (group === undefined) break
      nearest = { group, length: end }
    }
    return nearest
  }
}

function literalPrefixes<G>({ template }: Operation<G>): readonly string[] {
  const parameter = template.segments.findIndex(({ names }) => names.length > 0)
  const literals = parameter === -1 ? template.segments : template.segments.slice(0, parameter)
  return literals.map((_, index) =>
    literals
      .slice(0, index + 1)
      .map((segment) => `/${segment.literals[0] ?? ''}`)
      .join(''),
  )
}

function nextEnd(path: string, end: number): number | undefined {
  if (end >= path.length) return undefined
  const slash = path.indexOf('/', end + 1)
  return slash === -1 ? path.length : slash
}
