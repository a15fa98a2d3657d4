import { definitionOf, itemsAt, memberAt, namesAt, valueAt, type Cursor } from '../cursor.ts'
import { itemsOf, textOf } from '../json.ts'

/** A schema as the parts that all hold for a value: itself, and whatever its `allOf` adds. */
export type Schema = readonly Cursor[]

const allTypes = ['string', 'number', 'integer', 'boolean', 'object', 'array', 'null'] as const

/** A bound on alternatives that stand for each other: past it they are taken as they are written. */
const maxAlternatives = 64

/** Follow references and `allOf`; a schema within itself is taken once. */
export function facetsOf(cursors: readonly Cursor[]): Schema {
  const found = new Map<unknown, Cursor>()
  const visit = (cursor: Cursor): void => {
    const definition = definitionOf(cursor)
    if (found.has(definition.node)) return
    found.set(definition.node, definition)
    // In OpenAPI 3.1, what stands beside a reference holds too.
    if (definition.node !== cursor.node && namesAt(cursor).length > 0)
      found.set(cursor.node, cursor)
    for (const part of itemsAt(memberAt(definition, 'allOf'))) visit(part)
  }
  for (const cursor of cursors) visit(cursor)
  return [...found.values()]
}

/** The alternatives of `oneOf` and `anyOf`, each with what holds for all; only itself without any. */
export function alternativesOf(schema: Schema): readonly Schema[] {
  const union = schema
    .flatMap((facet) => [memberAt(facet, 'oneOf') ?? [], memberAt(facet, 'anyOf') ?? []].flat())
    .find((list) => itemsAt(list).length > 0)
  if (union === undefined) return [schema]
  const parts = itemsAt(union)
  if (parts.length > maxAlternatives) return [schema]
  return parts.map((part) => facetsOf([...schema, part]))
}

/** The types that a value may have; all where nothing is said. */
export function typesOf(schema: Schema): ReadonlySet<string> {
  const own = schema.map(ownTypes)
  return new Set(allTypes.filter((type) => own.every((types) => types.has(type))))
}

function ownTypes(facet: Cursor): ReadonlySet<string> {
  // The schema `false`, which nothing meets.
  if (facet.node === false) return new Set()
  const written = valueAt(facet, 'type')
  const names = Array.isArray(written) ? itemsOf(written).flatMap((each) => textOf(each) ?? []) : []
  const types = new Set(typeof written === 'string' ? [written] : names)
  if (types.size === 0) return new Set(allTypes)
  if (types.has('number')) types.add('integer')
  if (valueAt(facet, 'nullable') === true) types.add('null')
  return types
}

/** The members of an object, each as the schemas that hold for it. */
export function propertiesOf(schema: Schema): ReadonlyMap<string, readonly Cursor[]> {
  const properties = new Map<string, Cursor[]>()
  for (const facet of schema) {
    const own = memberAt(facet, 'properties')
    for (const name of own === undefined ? [] : namesAt(own)) {
      const property = own && memberAt(own, name)
      if (property) properties.set(name, [...(properties.get(name) ?? []), property])
    }
  }
  return properties
}

export function requiredOf(schema: Schema): ReadonlySet<string> {
  const names = schema.flatMap((facet) => itemsOf(valueAt(facet, 'required')))
  return new Set(names.flatMap((name) => textOf(name) ?? []))
}

/** The values that are legal, as JSON; undefined where any is. */
export function enumOf(schema: Schema, keyword: string): ReadonlySet<string> | undefined {
  let values: Set<string> | undefined
  for (const facet of schema) {
    const constant = keyword === 'enum' ? valueAt(facet, 'const') : undefined
    const written = valueAt(facet, keyword)
    const list = constant === undefined ? written : [constant]
    if (!Array.isArray(list)) continue
    const own = new Set(list.map((value) => JSON.stringify(value)))
    values = values === undefined ? own : new Set([...values].filter((each) => own.has(each)))
  }
  return values
}

/** What the first part that has the keyword says. */
export function keywordOf(schema: Schema, keyword: string): Cursor | undefined {
  return schema.flatMap((facet) => memberAt(facet, keyword) ?? [])[0]
}

/** What the one has and the other lacks. */
export function without(one: ReadonlySet<string>, other: ReadonlySet<string>): readonly string[] {
  return [...one].filter((each) => !other.has(each))
}
