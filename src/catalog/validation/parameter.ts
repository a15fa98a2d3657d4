import type { ValidateFunction } from 'ajv/dist/2020.js'
import type { InvalidField } from '../../errors/gateway-error.ts'
import { definitionOf, memberAt, valueAt, type Cursor } from '../cursor.ts'
import { textOf } from '../json.ts'
import type { PathParameters } from '../path-template.ts'

/** Where the parameters of a request are. */
export type RequestParameters = {
  /** As they stand in the path, percent-encoded. */
  readonly path: PathParameters
  readonly query: URLSearchParams
  /** The value of a header field by its name in lower case; undefined where it is absent. */
  readonly header: (name: string) => string | undefined
}

/** What is wrong with one parameter of a request; undefined where nothing is. */
export type CheckParameter = (request: RequestParameters) => InvalidField | undefined

/** Fields that OpenAPI gives to other parts of a document (3.1.1 §4.8.12.1). */
const notParameters = new Set(['accept', 'content-type', 'authorization'])

/**
 * Compile one parameter. Those in cookies, of a media type of their own, objects, and what a path has
 * with more than the value (`label`, `matrix`) are left to the service.
 *
 * @param compile makes a validator of `{ value }`, which takes texts for numbers where these are meant
 */
export function compileParameter(
  parameter: Cursor,
  compile: (schema: Cursor) => ValidateFunction | undefined,
): CheckParameter | undefined {
  const name = textOf(valueAt(parameter, 'name')) ?? ''
  const place = textOf(valueAt(parameter, 'in'))
  const schema = memberAt(parameter, 'schema')
  const style = textOf(valueAt(parameter, 'style')) ?? ''
  if (schema === undefined || ['deepObject', 'label', 'matrix'].includes(style)) return undefined
  const kind = kindOf(schema)
  if (kind === 'object') return undefined
  const valuesOf = sourceOf(place, name, isExploded(parameter, place) ? undefined : style)
  const validate = valuesOf && compile(schema)
  if (valuesOf === undefined || validate === undefined) return undefined
  const isRequired = place === 'path' || valueAt(parameter, 'required') === true
  return (request) => {
    const values = valuesOf(request, kind === 'array')
    if (values === undefined)
      return isRequired ? { parameter: name, message: 'must be present' } : undefined
    const [only, ...others] = values
    const value = kind === 'array' || others.length > 0 ? [...values] : only
    if (validate({ value })) return undefined
    return { parameter: name, message: validate.errors?.[0]?.message ?? 'is not valid' }
  }
}

function kindOf(schema: Cursor): 'array' | 'object' | 'plain' {
  const definition = definitionOf(schema)
  const type = valueAt(definition, 'type')
  const name = Array.isArray(type) && type.length === 1 ? textOf(type[0]) : textOf(type)
  if (name === 'array') return 'array'
  const isComposed = ['allOf', 'anyOf', 'oneOf', 'properties'].some(
    (keyword) => memberAt(definition, keyword) !== undefined,
  )
  return name === 'object' || (name === undefined && isComposed) ? 'object' : 'plain'
}

function isExploded(parameter: Cursor, place: string | undefined): boolean {
  const explode = valueAt(parameter, 'explode')
  if (typeof explode === 'boolean') return explode
  return place === 'query' && [undefined, 'form'].includes(textOf(valueAt(parameter, 'style')))
}

type ValuesOf = (request: RequestParameters, isList: boolean) => readonly string[] | undefined

/** @param style undefined: each value of a list stands by itself */
function sourceOf(
  place: string | undefined,
  name: string,
  style: string | undefined,
): ValuesOf | undefined {
  switch (place ?? '') {
    case 'path':
      return ({ path }, isList) => split(decoded(path[name]), isList)
    case 'header':
      if (notParameters.has(name.toLowerCase())) return undefined
      return ({ header }, isList) => split(header(name.toLowerCase()), isList)
    case 'query':
      return ({ query }, isList) => {
        const values = query.getAll(name)
        if (values.length === 0) return undefined
        if (style === undefined) return values
        return values.flatMap((value) => split(value, isList, delimiters[style]) ?? [])
      }
    default:
      return undefined
  }
}

/** What stands between the values of a list in the query, by style (OpenAPI 3.1.1 §4.8.12.3). */
const delimiters: Readonly<Record<string, string>> = { pipeDelimited: '|', spaceDelimited: ' ' }

function split(
  value: string | undefined,
  isList: boolean,
  delimiter = ',',
): readonly string[] | undefined {
  if (value === undefined) return undefined
  return isList ? value.split(delimiter).map((each) => each.trim()) : [value]
}

function decoded(value: string | undefined): string | undefined {
  try {
    return value === undefined ? undefined : decodeURIComponent(value)
  } catch {
    // It is checked as it stands.
    return value
  }
}
