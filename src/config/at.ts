import type { Path } from './problem.ts'

/** What stands at a path, or undefined where nothing does. */
export function at(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((parent, key) => {
    if (typeof parent !== 'object' || parent === null || !Object.hasOwn(parent, key)) {
      return undefined
    }
    return Reflect.get(parent, key) as unknown
  }, value)
}

export function textAt(value: unknown, path: Path): string | undefined {
  const found = at(value, path)
  return typeof found === 'string' ? found : undefined
}

export function listAt(value: unknown, path: Path): readonly unknown[] {
  const found = at(value, path)
  return Array.isArray(found) ? found : []
}
