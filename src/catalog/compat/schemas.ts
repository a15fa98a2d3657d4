import { became, gone, type Change, type Direction } from './change.ts'
import type { Cursor } from '../cursor.ts'
import { compareValues } from './values.ts'
import {
  alternativesOf,
  facetsOf,
  keywordOf,
  propertiesOf,
  requiredOf,
  typesOf,
  without,
  type Schema,
} from './facets.ts'

/** Compares two schemas, each as the parts that hold together; `name` is that of what has them. */
export type CompareSchemas = (
  before: readonly Cursor[],
  after: readonly Cursor[],
  direction: Direction,
  name?: string,
) => readonly Change[]

/**
 * Prepare to compare the schemas of two documents. Pairs are compared once: schemas refer to each
 * other in circles, and alternatives are tried against each other.
 */
export function createCompareSchemas(): CompareSchemas {
  const ids = new Map<unknown, number>()
  const compared = new Map<string, readonly Change[]>()
  const idOf = (schema: Schema): string =>
    schema
      .map(({ node }) => {
        const id = ids.get(node) ?? ids.size
        ids.set(node, id)
        return id
      })
      .join('+')

  const once = (
    key: string,
    before: Schema,
    after: Schema,
    compare: () => readonly Change[],
  ): readonly Change[] => {
    const whole = `${key} ${idOf(before)} ${idOf(after)}`
    const known = compared.get(whole)
    if (known !== undefined) return known
    // What is met again within itself differs only where it is found to differ elsewhere.
    compared.set(whole, [])
    const changes = compare()
    compared.set(whole, changes)
    return changes
  }

  const schemas: CompareSchemas = (before, after, direction, name = '') => {
    const [old, next] = [facetsOf(before), facetsOf(after)]
    return once(`${direction} ${name}`, old, next, () => {
      const [from, to] = [alternativesOf(old), alternativesOf(next)]
      return from.length === 1 && to.length === 1
        ? plain(from[0] ?? old, to[0] ?? next, direction, name)
        : alternatives(from, to, direction, name)
    })
  }

  /** Requests: each alternative before is still accepted. Answers: each after was known before. */
  function alternatives(
    from: readonly Schema[],
    to: readonly Schema[],
    direction: Direction,
    name: string,
  ): readonly Change[] {
    const isRequest = direction === 'request'
    return (isRequest ? from : to).flatMap((alternative, index) => {
      const others = isRequest ? to : from
      const differences = others.map((other) =>
        isRequest
          ? plain(alternative, other, direction, name)
          : plain(other, alternative, direction, name),
      )
      if (differences.some((changes) => changes.length === 0)) return []
      const counterpart = from.length === to.length ? differences[index] : undefined
      // Where there are as many as before, what is different within the one is more telling.
      if (counterpart !== undefined) return counterpart
      const place = alternative.at(-1)
      if (place === undefined) return []
      return isRequest
        ? [gone('alternative-removed', place, 'the alternative is not accepted any more')]
        : [became('alternative-added', place, 'the alternative is new')]
    })
  }

  function plain(
    before: Schema,
    after: Schema,
    direction: Direction,
    name: string,
  ): readonly Change[] {
    return once(`plain ${direction} ${name}`, before, after, () => [
      ...compareValues(before, after, direction, name),
      ...fields(before, after, direction),
      ...nested(before, after, direction, 'items'),
      ...nested(before, after, direction, 'additionalProperties'),
    ])
  }

  function fields(before: Schema, after: Schema, direction: Direction): readonly Change[] {
    const [old, next] = [propertiesOf(before), propertiesOf(after)]
    const removed = [...old].flatMap(([name, schema]) => {
      const [place] = schema
      const successor = next.get(name)
      if (place === undefined || isHidden(schema, direction)) return []
      if (successor === undefined) return [gone('field-removed', place, `"${name}" is gone`)]
      if (isHidden(successor, direction)) {
        const other = direction === 'request' ? 'read' : 'written'
        return [became('field-removed', successor[0] ?? place, `"${name}" is only ${other} now`)]
      }
      return schemas(schema, successor, direction, name)
    })
    return [...removed, ...requiredChanges(before, after, direction)]
  }

  function nested(
    before: Schema,
    after: Schema,
    direction: Direction,
    keyword: string,
  ): readonly Change[] {
    const [old, next] = [keywordOf(before, keyword), keywordOf(after, keyword)]
    if (keyword === 'items') return oneOrBoth(old, next, direction)
    // `false` is passed over: unknown members are ignored, whatever a document says.
    if (typeof old?.node !== 'object' || typeof next?.node !== 'object') return []
    return schemas([old], [next], direction)
  }

  function oneOrBoth(
    old: Cursor | undefined,
    next: Cursor | undefined,
    direction: Direction,
  ): readonly Change[] {
    const place = old ?? next
    if (place === undefined) return []
    return schemas([old ?? anythingAt(place)], [next ?? anythingAt(place)], direction)
  }

  return schemas
}

/** What is not described may be anything; one object, so that schemas within themselves end. */
const anything: Readonly<Record<string, never>> = {}

/** The schema of what a document does not describe, at the place where the other one does. */
export function anythingAt(place: Cursor): Cursor {
  return { ...place, node: anything }
}

function requiredChanges(before: Schema, after: Schema, direction: Direction): readonly Change[] {
  const [old, next] = [requiredOf(before), requiredOf(after)]
  const properties = propertiesOf(direction === 'request' ? after : before)
  const placeOf = (name: string, schema: Schema): Cursor | undefined =>
    properties.get(name)?.[0] ?? keywordOf(schema, 'required')
  if (direction === 'request') {
    return without(next, old).flatMap((name) => {
      const place = placeOf(name, after)
      if (place === undefined || isHidden(properties.get(name) ?? [], direction)) return []
      return [became('field-required', place, `"${name}" must be sent`)]
    })
  }
  const known = propertiesOf(after)
  return without(old, next).flatMap((name) => {
    const place = placeOf(name, before)
    // That it is gone altogether is told already; what could be null may be left out.
    if (place === undefined || !known.has(name)) return []
    if (isHidden(properties.get(name) ?? [], direction)) return []
    if (typesOf(facetsOf(properties.get(name) ?? [])).has('null')) return []
    return [gone('field-not-promised', place, `"${name}" may be left out`)]
  })
}

/** What is only read is no part of a request, and what is only written no part of an answer. */
function isHidden(schema: readonly Cursor[], direction: Direction): boolean {
  const keyword = direction === 'request' ? 'readOnly' : 'writeOnly'
  return keywordOf(facetsOf(schema), keyword)?.node === true
}
