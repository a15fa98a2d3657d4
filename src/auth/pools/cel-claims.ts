import type { CelInput } from '@bufbuild/cel'
import { isJsonObject, type JsonObject } from '../tokens/strict-json.ts'

/** Claims in the form that filters read. */
export type CelClaims = {
  readonly kind: 'claims'
  readonly claims: ReadonlyMap<string, CelInput>
}

/** As JSON text, in characters. */
const maxClaimsLength = 16_384

/**
 * Bring claims into the form that filters read, once for all filters. Objects become maps, so that
 * nothing inherited looks like a claim, and a claim named `constructor` is one like any other.
 *
 * @returns undefined where the claims are larger than 16 KiB
 */
export function celClaims(claims: JsonObject): CelClaims | undefined {
  if (JSON.stringify(claims).length > maxClaimsLength) return undefined
  return { kind: 'claims', claims: mapOf(claims) }
}

function mapOf(object: JsonObject): ReadonlyMap<string, CelInput> {
  return new Map(Object.entries(object).map(([name, value]) => [name, celValue(value)]))
}

/** Strict JSON is at most 16 levels deep, so the recursion is. */
function celValue(value: unknown): CelInput {
  if (Array.isArray(value)) return value.map(celValue)
  if (isJsonObject(value)) return mapOf(value)
  return value as string | number | boolean | null
}
