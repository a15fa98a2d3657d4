import { isDeepStrictEqual } from 'node:util'
import type { Configuration } from './schema.ts'

/** What takes effect with a reload; whatever else there is, the process was built with. */
const reloadable: ReadonlySet<string> = new Set([
  'apiGroups',
  'roles',
  'schemes',
  'limits.classes',
  'limits.quotas',
  'limits.countedResources',
  'requests.maxBodyBytes',
  'requests.minBodyBytesPerSecond',
  'transport.trustedProxies',
])

/**
 * What of a configuration counts only after a restart.
 *
 * @returns the places, such as `redis.url`, where it differs from what the process was started with
 */
export function unreloadable(started: Configuration, next: Configuration): readonly string[] {
  const names = new Set([...Object.keys(started), ...Object.keys(next)])
  return [...names].flatMap((name) => {
    const before = membersOf(started).get(name)
    const after = membersOf(next).get(name)
    if (reloadable.has(name) || isDeepStrictEqual(before, after)) return []
    const [inner, now] = [membersOf(before), membersOf(after)]
    const places = [...new Set([...inner.keys(), ...now.keys()])]
      .filter((key) => !isDeepStrictEqual(inner.get(key), now.get(key)))
      .map((key) => `${name}.${key}`)
    return places.length === 0 ? [name] : places.filter((place) => !reloadable.has(place))
  })
}

function membersOf(value: unknown): ReadonlyMap<string, unknown> {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  return new Map<string, unknown>(isObject ? Object.entries(value) : [])
}
