import { definitionOf, itemsAt, memberAt, namesAt, type Cursor } from '../cursor.ts'
import type { Findings } from '../findings.ts'
import { isObject, itemsOf, memberOf, textOf } from '../json.ts'
import { compileLinear } from './linear-pattern.ts'

/** A schema that ajv compiles: it holds everything that it refers to. */
export type JsonSchema = Readonly<Record<string, unknown>> | boolean

const numbers = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf']
const counts = ['minLength', 'maxLength', 'minItems', 'maxItems', 'minProperties']
const types = new Set(['string', 'number', 'integer', 'boolean', 'object', 'array', 'null'])

/** Comparing every two elements takes the square of their number. */
const maxUniqueItems = 1_000

/**
 * Make a schema of a document one that requests are validated by. It never refuses what the
 * document does not know, so what would is left out: `additionalProperties` and `maxProperties` beside
 * `properties`, and `oneOf` is taken as `anyOf`, since without these more than one may match.
 * Left out too: `not`, `if` and the like, which would turn what is left out round; what is read-only;
 * and, once it was gone through, a schema within itself, whose time a caller could choose.
 */
export function requestSchemaOf(cursor: Cursor, findings: Findings): JsonSchema {
  const definitions: Record<string, JsonSchema> = {}
  const names = new Map<unknown, string>()
  const schema = convert(cursor, new Set())
  return typeof schema === 'boolean' ? schema : { ...schema, $defs: definitions }

  function convert(place: Cursor, around: ReadonlySet<unknown>): JsonSchema {
    if (typeof place.node === 'boolean') return place.node
    if (!isObject(place.node)) return problem(place, 'it is no schema')
    if (textOf(memberOf(place.node, '$ref')) === undefined) return converted(place, around)
    const target = definitionOf(place)
    if (target.node === place.node || memberOf(target.node, '$ref') !== undefined)
      return problem(place, 'its reference leads nowhere')
    if (around.has(target.node)) return true
    const reference = referenceTo(target, around)
    const own = Object.keys(place.node).filter((name) => name !== '$ref')
    if (own.length === 0 || place.document.version === '3.0') return reference
    const rest = Object.fromEntries(own.map((name) => [name, memberOf(place.node, name)]))
    return { allOf: [reference, converted({ ...place, node: rest }, around)] }
  }

  function referenceTo(target: Cursor, around: ReadonlySet<unknown>): JsonSchema {
    const known = names.get(target.node)
    if (known !== undefined) return { $ref: `#/$defs/${known}` }
    const name = `d${names.size}`
    names.set(target.node, name)
    definitions[name] = convert(target, new Set([...around, target.node]))
    return { $ref: `#/$defs/${name}` }
  }

  function converted(place: Cursor, around: ReadonlySet<unknown>): JsonSchema {
    const whole: Record<string, unknown> = {}
    addType(place, whole)
    for (const name of [...numbers, ...counts]) addNumber(place, name, whole)
    addPattern(place, whole)
    const format = textOf(memberAt(place, 'format')?.node)
    if (format !== undefined && formats.has(format)) whole['format'] = format
    const maxItems = memberAt(place, 'maxItems')?.node
    if (typeof maxItems === 'number' && maxItems <= maxUniqueItems)
      whole['uniqueItems'] = memberAt(place, 'uniqueItems')?.node === true
    const lists = { allOf: 'allOf', anyOf: 'anyOf', oneOf: 'anyOf', prefixItems: 'prefixItems' }
    const extra: JsonSchema[] = []
    for (const [name, meaning] of Object.entries(lists)) {
      const parts = itemsAt(memberAt(place, name)).map((part) => convert(part, around))
      if (parts.length > 0) extra.push({ [meaning]: parts })
    }
    const items = memberAt(place, 'items')
    if (items && memberAt(place, 'prefixItems') === undefined)
      whole['items'] = convert(items, around)
    addMembers(place, whole, around)
    return extra.length === 0 ? whole : { ...whole, allOf: extra }
  }

  function addType(place: Cursor, whole: Record<string, unknown>): void {
    const written = memberAt(place, 'type')
    const isNullable = memberAt(place, 'nullable')?.node === true
    const list = Array.isArray(written?.node) ? itemsOf(written.node) : [written?.node]
    if (written !== undefined) {
      if (!list.every((each) => types.has(String(each)))) problem(written, 'it is no type')
      else whole['type'] = [...new Set(isNullable ? [...list, 'null'] : list)]
    }
    const values = memberAt(place, 'enum')
    if (values !== undefined && !Array.isArray(values.node)) problem(values, 'it is no list')
    else if (values !== undefined)
      whole['enum'] = [...itemsOf(values.node), ...(isNullable ? [null] : [])]
    const constant = memberAt(place, 'const')
    if (constant !== undefined) whole['const'] = constant.node
  }

  function addNumber(place: Cursor, name: string, whole: Record<string, unknown>): void {
    const written = memberAt(place, name)
    if (written === undefined || written.node === false) return
    const plain = name === 'exclusiveMinimum' ? 'minimum' : 'maximum'
    // A flag in OpenAPI 3.0.
    const value = written.node === true ? memberAt(place, plain)?.node : written.node
    const isCount = counts.includes(name)
    if (typeof value !== 'number' || (isCount && !(Number.isInteger(value) && value >= 0)))
      problem(written, 'it is no number that can stand there')
    else whole[name] = value
  }

  function addPattern(place: Cursor, whole: Record<string, unknown>): void {
    const written = memberAt(place, 'pattern')
    if (written === undefined) return
    const pattern = textOf(written.node)
    if (pattern === undefined || !isPattern(pattern)) problem(written, 'it is no pattern')
    else if (compileLinear(pattern) !== undefined) whole['pattern'] = pattern
    else
      findings.warning(
        `${placeOf(written)}: the pattern is not checked: its time cannot be bounded`,
      )
  }

  function addMembers(
    place: Cursor,
    whole: Record<string, unknown>,
    around: ReadonlySet<unknown>,
  ): void {
    const own = memberAt(place, 'properties')
    if (own !== undefined && !isObject(own.node)) problem(own, 'these are no properties')
    const properties = new Map(
      (own === undefined ? [] : namesAt(own)).flatMap((name) => {
        const property = own && memberAt(own, name)
        return property === undefined ? [] : [[name, property] as const]
      }),
    )
    const readOnly = new Set([...properties].filter(isReadOnly).map(([name]) => name))
    const checked = [...properties].filter(([name]) => !readOnly.has(name) && name !== '__proto__')
    whole['properties'] = Object.fromEntries(
      checked.map(([name, property]) => [name, convert(property, around)]),
    )
    const required = itemsOf(memberAt(place, 'required')?.node).flatMap(
      (name) => textOf(name) ?? [],
    )
    whole['required'] = [...new Set(required)].filter((name) => !readOnly.has(name))
    if (properties.size > 0) return
    addNumber(place, 'maxProperties', whole)
    const others = memberAt(place, 'additionalProperties')
    if (isObject(others?.node)) whole['additionalProperties'] = convert(others, around)
  }

  function problem(place: Cursor, reason: string): JsonSchema {
    findings.problem(`${placeOf(place)}: requests cannot be validated by it: ${reason}`)
    return true
  }
}

const formats: ReadonlySet<string> = new Set(['date', 'date-time', 'uuid', 'int32', 'ipv4', 'ipv6'])

function isReadOnly([, property]: readonly [string, Cursor]): boolean {
  return memberAt(property, 'readOnly')?.node === true
}

/** Without the flag u, since documents in use escape what needs no escape. */
function isPattern(text: string): boolean {
  try {
    return new RegExp(text) instanceof RegExp
  } catch {
    // Whatever else is wrong with it, it is none.
    return false
  }
}

/** File, line and JSON Pointer, for the operator. */
export function placeOf({ document, root, pointer }: Cursor): string {
  const place = document.placeOf(root, pointer)
  return place === undefined ? `#${pointer}` : `${place.file}:${place.line} #${pointer}`
}
