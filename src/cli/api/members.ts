import type { Json } from './client.ts'

/** The value at a dotted path, such as `spec.owner.id`; undefined where there is none. */
export function memberAt(value: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((within, name) => {
    if (typeof within !== 'object' || within === null || !Object.hasOwn(within, name))
      return undefined
    return (within as Json)[name]
  }, value)
}

/** An object like another one, but for the value at a dotted path. */
export function withMember(object: Json, path: string, value: unknown): Json {
  const [name = '', ...rest] = path.split('.')
  if (rest.length === 0) return { ...object, [name]: value }
  const within = memberAt(object, name)
  const inner = typeof within === 'object' && within !== null ? (within as Json) : {}
  return { ...object, [name]: withMember(inner, rest.join('.'), value) }
}

/** A value for a cell of a table, or for a line. */
export function shown(value: unknown): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** Where two values differ, by dotted paths; only what the wanted one names is looked at. */
export type Difference = { readonly path: string; readonly from: unknown; readonly to: unknown }

export function differences(wanted: unknown, actual: unknown, path = ''): readonly Difference[] {
  if (isObject(wanted)) {
    return Object.entries(wanted).flatMap(([name, value]) =>
      differences(value, memberAt(actual, name), path === '' ? name : `${path}.${name}`),
    )
  }
  if (JSON.stringify(wanted) === JSON.stringify(actual)) return []
  // A merge patch takes away what is null (RFC 7396), and what is not there needs no taking away.
  if (wanted === null && actual === undefined) return []
  return [{ path, from: actual, to: wanted }]
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
