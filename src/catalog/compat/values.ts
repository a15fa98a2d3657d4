import { textOf } from '../json.ts'
import { became, gone, type Change, type Direction } from './change.ts'
import { memberAt, valueAt, type Cursor } from '../cursor.ts'
import { enumOf, keywordOf, typesOf, without, type Schema } from './facets.ts'

/** Compare what two schemas say of a value, but for what is within it. */
export function compareValues(
  before: Schema,
  after: Schema,
  direction: Direction,
  name: string,
): readonly Change[] {
  const place = after[0]
  if (place === undefined) return []
  const differences = [
    ...typeChanges(before, after, direction, place),
    ...enumChanges(before, after, direction, place),
    ...defaultChanges(before, after, direction, name),
  ]
  if (direction === 'response' && isOpaque(name, before)) return differences
  return [
    ...differences,
    ...formatChanges(before, after, direction, place),
    ...boundChanges(before, after, direction, name, place),
    ...opaqueKeywordChanges(before, after, direction, place),
  ]
}

function typeChanges(
  before: Schema,
  after: Schema,
  direction: Direction,
  place: Cursor,
): readonly Change[] {
  const [old, next] = [typesOf(before), typesOf(after)]
  const lost = direction === 'request' ? without(old, next) : without(next, old)
  if (lost.length === 0) return []
  return [
    became(
      'type-changed',
      keywordOf(after, 'type') ?? place,
      `${written(old)} became ${written(next)}`,
    ),
  ]
}

function written(types: ReadonlySet<string>): string {
  return types.size === 7 ? 'any type' : [...types].toSorted().join(' | ') || 'no type'
}

/** `x-extensible-enum` is open: callers are told to expect others, but may send those it lists. */
function enumChanges(
  before: Schema,
  after: Schema,
  direction: Direction,
  place: Cursor,
): readonly Change[] {
  const closed = enumOf(before, 'enum')
  const open = enumOf(before, 'x-extensible-enum')
  if (direction === 'request') {
    const next = enumOf(after, 'enum')
    const listed = next ?? enumOf(after, 'x-extensible-enum')
    const known = closed ?? open
    if (listed === undefined) return []
    if (known === undefined)
      return next === undefined
        ? []
        : [
            became(
              'enum-narrowed',
              keywordOf(after, 'enum') ?? place,
              'only listed values are legal',
            ),
          ]
    const missing = without(known, listed)
    if (missing.length === 0) return []
    return [
      became('enum-narrowed', place, `${missing.join(', ')} ${are(missing)} not legal any more`),
    ]
  }
  if (closed === undefined) return []
  const next = enumOf(after, 'enum')
  if (next === undefined)
    return [became('enum-widened', place, 'the list of values is not closed any more')]
  const added = without(next, closed)
  if (added.length === 0) return []
  return [became('enum-widened', place, `${added.join(', ')} ${are(added)} new`)]
}

function are(values: readonly unknown[]): string {
  return values.length === 1 ? 'is' : 'are'
}

function defaultChanges(
  before: Schema,
  after: Schema,
  direction: Direction,
  name: string,
): readonly Change[] {
  const old = keywordOf(before, 'default')
  if (direction === 'response' || old === undefined || isPaging(name)) return []
  const next = keywordOf(after, 'default')
  if (JSON.stringify(old.node) === JSON.stringify(next?.node)) return []
  return next === undefined
    ? [gone('default-changed', old, 'the default is gone')]
    : [became('default-changed', next, 'the default is another')]
}

function formatChanges(
  before: Schema,
  after: Schema,
  direction: Direction,
  place: Cursor,
): readonly Change[] {
  const old = textOf(keywordOf(before, 'format')?.node)
  const next = textOf(keywordOf(after, 'format')?.node)
  if (old === next || isWider(old, next, direction)) return []
  const text = `the format ${old ?? '(none)'} became ${next ?? '(none)'}`
  return [became('format-changed', keywordOf(after, 'format') ?? place, text)]
}

/** More is legal in a request, or less in an answer. */
function isWider(old: string | undefined, next: string | undefined, direction: Direction): boolean {
  const [narrow, wide] = direction === 'request' ? [old, next] : [next, old]
  if (wide === undefined) return true
  const numbers = [
    ['int32', 'int64'],
    ['float', 'double'],
  ]
  return numbers.some(([small, large]) => narrow === small && wide === large)
}

const bounds = [
  ...['maximum', 'maxLength', 'maxItems', 'maxProperties', 'maxContains'],
  ...['minimum', 'minLength', 'minItems', 'minProperties', 'minContains'],
]

function boundChanges(
  before: Schema,
  after: Schema,
  direction: Direction,
  name: string,
  place: Cursor,
): readonly Change[] {
  // How large pages are is no part of the contract.
  if (isPaging(name)) return []
  return bounds.flatMap((keyword) => {
    const [from, to] = [boundOf(before, keyword), boundOf(after, keyword)]
    const change =
      tightness(to, keyword) - tightness(from, keyword) || exclusion(to) - exclusion(from)
    if (change === 0 || Number.isNaN(change)) return []
    if (change > 0 !== (direction === 'request')) return []
    const text = `${keyword} ${shown(from)} became ${shown(to)}`
    return [became('constraint-changed', to?.at ?? place, text)]
  })
}

type Bound = { readonly value: number; readonly isExclusive: boolean; readonly at: Cursor }

/** The bound that holds where several are written, whichever way OpenAPI 3.0 or 3.1 has it. */
function boundOf(schema: Schema, keyword: string): Bound | undefined {
  const exclusive = `exclusive${keyword.charAt(0).toUpperCase()}${keyword.slice(1)}`
  const found = schema.flatMap((facet) => [
    ...boundsAt(facet, keyword, valueAt(facet, exclusive) === true),
    ...boundsAt(facet, exclusive, true),
  ])
  const order = (one: Bound, other: Bound): number =>
    tightness(other, keyword) - tightness(one, keyword) || exclusion(other) - exclusion(one)
  return found.toSorted(order)[0]
}

function boundsAt(facet: Cursor, keyword: string, isExclusive: boolean): readonly Bound[] {
  const at = memberAt(facet, keyword)
  return typeof at?.node === 'number' ? [{ value: at.node, isExclusive, at }] : []
}

/** More is tighter. Nothing is shorter than nothing, so a least length of 0 is none. */
function tightness(bound: Bound | undefined, keyword: string): number {
  if (bound !== undefined) return keyword.startsWith('max') ? -bound.value : bound.value
  return /^min(?:Length|Items|Properties)$/.test(keyword) ? 0 : Number.NEGATIVE_INFINITY
}

function exclusion(bound: Bound | undefined): number {
  return bound?.isExclusive === true ? 1 : 0
}

function shown(bound: Bound | undefined): string {
  if (bound === undefined) return '(none)'
  return bound.isExclusive ? `${bound.value} (exclusive)` : String(bound.value)
}

/** Keywords that are not understood here: added or changed they may narrow, taken away widen. */
const notUnderstood = [
  ...['pattern', 'multipleOf', 'uniqueItems', 'not', 'if', 'then', 'else', 'contains'],
  ...['patternProperties', 'propertyNames', 'dependentRequired', 'dependentSchemas', 'prefixItems'],
]

function opaqueKeywordChanges(
  before: Schema,
  after: Schema,
  direction: Direction,
  place: Cursor,
): readonly Change[] {
  return notUnderstood.flatMap((keyword) => {
    const [old, next] = [keywordOf(before, keyword), keywordOf(after, keyword)]
    const [from, to] = [asConstraint(old), asConstraint(next)]
    const isKept = from === to || (direction === 'request' ? to : from) === undefined
    return isKept ? [] : [became('constraint-changed', next ?? place, `${keyword} is different`)]
  })
}

function asConstraint(cursor: Cursor | undefined): string | undefined {
  return cursor === undefined || cursor.node === false ? undefined : JSON.stringify(cursor.node)
}

function isPaging(name: string): boolean {
  return /^(?:page_?size|limit|per_page)$/i.test(name)
}

/** Ids, tokens and keys: their length and form may change. */
function isOpaque(name: string, schema: Schema): boolean {
  if (/(?:^|_)(?:id|token|key|secret|resource_name|cursor)$|[a-z](?:Id|Token)$/.test(name))
    return true
  return /opaque/i.test(textOf(keywordOf(schema, 'description')?.node) ?? '')
}
