/** Which pools a caller asks for. */
export type PoolRequest =
  | { readonly kind: 'all-that-match' }
  /** 1 to 10 ids, none twice. */
  | { readonly kind: 'named'; readonly ids: readonly string[] }
  | { readonly kind: 'malformed' }

const maxPools = 10

/**
 * Read the field that names identity pools: one id, several with commas between, or absent for all
 * that match.
 *
 * @param field the raw field value, or undefined where the field is absent
 */
export function readPoolHeader(field: string | undefined): PoolRequest {
  if (field === undefined) return { kind: 'all-that-match' }
  if (field.length > 1024) return { kind: 'malformed' }
  const parts = field.split(',')
  const ids = parts.flatMap((part) => /^[ \t]*([\w-]{1,64})[ \t]*$/.exec(part)?.[1] ?? [])
  const wellFormed = parts.length <= maxPools && ids.length === parts.length
  if (!wellFormed || new Set(ids).size !== ids.length) return { kind: 'malformed' }
  return { kind: 'named', ids }
}
