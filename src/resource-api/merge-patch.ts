/**
 * Apply a merge patch to a JSON value: members of the patch replace those of the target, objects
 * are merged, and null takes a member away.
 *
 * @param patch of bounded depth: each level is a call
 * @see RFC 7396 §2
 */
export function mergePatch(target: unknown, patch: object): object
export function mergePatch(target: unknown, patch: unknown): unknown
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch
  const members = new Map(Object.entries(isObject(target) ? target : {}))
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) members.delete(name)
    else members.set(name, mergePatch(members.get(name), value))
  }
  return Object.fromEntries(members)
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
