import type { FilterSchema } from './collection.ts'
import { invalid } from './paging.ts'

/**
 * The filter that a query asks for. Parameters that the collection does not know, and those that
 * are empty, are passed over; of one that is repeated the first counts.
 *
 * @returns the filter, and the parameters that make it, in one order
 * @throws {GatewayError} INVALID_REQUEST
 */
export function filterOf<Filter>(
  schema: FilterSchema<Filter>,
  query: URLSearchParams,
): { readonly filter: Filter; readonly canonical: string } {
  const given = [...new Map([...query].toReversed())].filter(([, value]) => value !== '')
  const result = schema.safeParse(Object.fromEntries(given))
  if (!result.success) {
    const [issue] = result.error.issues
    throw invalid(String(issue?.path[0] ?? ''), issue?.message ?? 'Is not valid')
  }
  const known = new Set(Object.keys(schema.shape))
  const used = given.filter(([name]) => known.has(name)).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return { filter: result.data, canonical: new URLSearchParams(used).toString() }
}
