import type { CompileFilter, Filter } from './filter.ts'

/** Compiled filters that are remembered. */
const defaultMaxFilters = 5000

/**
 * Compile each filter once, and remember those that were used last.
 *
 * @returns a look-up by the filter's text; undefined for a filter that does not compile, which then
 *   matches nobody
 */
export function createFilterCache(
  compile: CompileFilter,
  maxFilters: number = defaultMaxFilters,
): (text: string) => Filter | undefined {
  const filters = new Map<string, Filter | undefined>()
  return (text) => {
    const filter = filters.has(text) ? filters.get(text) : usable(compile(text))
    filters.delete(text)
    filters.set(text, filter)
    if (filters.size > maxFilters) dropOldest(filters)
    return filter
  }
}

function usable(compiled: ReturnType<CompileFilter>): Filter | undefined {
  return compiled.kind === 'filter' ? compiled : undefined
}

function dropOldest(map: Map<string, unknown>): void {
  for (const oldest of map.keys()) {
    map.delete(oldest)
    return
  }
}
