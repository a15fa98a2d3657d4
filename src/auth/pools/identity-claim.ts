import { isSubject } from '../tokens/claims.ts'
import { isJsonObject, type JsonObject } from '../tokens/strict-json.ts'
import type { PoolCandidate } from './select-pools.ts'

/**
 * The subject of a caller: the value of the claim that its pool names. Where several pools name
 * several claims, the provider's decides, else `sub`.
 *
 * @returns undefined where the claim is no string of 1 to 255 printable characters
 */
export function subjectOf(
  claims: JsonObject,
  candidates: readonly PoolCandidate[],
): string | undefined {
  const [named, ...others] = new Set(candidates.map(({ pool }) => pool.identityClaim))
  const [ofProvider, ...ofOthers] = new Set(
    candidates.map(({ provider }) => provider.identityClaim),
  )
  const shared = ofOthers.length === 0 ? ofProvider : undefined
  const path = others.length === 0 ? named : (shared ?? 'sub')
  const value = claimAt(claims, path ?? 'sub')
  return isSubject(value) ? value : undefined
}

/** `claims.act.sub`, or the same without its root. */
function claimAt(claims: JsonObject, path: string): unknown {
  const names = path.replace(/^claims\./, '').split('.')
  return names.reduce<unknown>(
    (value, name) => (isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined),
    claims,
  )
}
