import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import type { InvalidField } from '../../errors/gateway-error.ts'
import { itemsAt, memberAt, namesAt, rootOf, valueAt, type Cursor } from '../cursor.ts'
import type { Findings } from '../findings.ts'
import { isObject, textOf } from '../json.ts'
import type { OpenApiDocument } from '../document.ts'
import { placeOf, requestSchemaOf } from './json-schema.ts'
import { compileLinear } from './linear-pattern.ts'
import { compileParameter, type CheckParameter, type RequestParameters } from './parameter.ts'

/** What an operation's document says of its requests, compiled. Nothing here changes what it is shown. */
export type Validation = {
  readonly parameters: (request: RequestParameters) => readonly InvalidField[]
  /** Absent where the operation declares no body: one that comes all the same is passed on. */
  readonly body: BodyValidation | undefined
}

export type BodyValidation = {
  readonly required: boolean
  /** How a body of this Content-Type is treated; 'unsupported' where the operation does not take it. */
  readonly kindOf: (contentType: string | undefined) => BodyKind
}

/** A body is passed on as it streams, or is JSON that is read and checked. */
export type BodyKind = 'unsupported' | 'opaque' | CheckBody
type CheckBody = (value: unknown) => readonly InvalidField[]

export type CompileValidation = typeof compileValidation

/** Who sees a hundred mistakes mends the first. */
const maxFields = 20

/**
 * Compile the parameters and bodies of one operation. A schema that cannot be compiled is a problem,
 * with its place.
 *
 * @param key of the path in the document
 */
export function compileValidation(
  document: OpenApiDocument,
  key: string,
  method: string,
  findings: Findings,
): Validation | undefined {
  const paths = memberAt(rootOf(document), 'paths')
  const pathItem = paths && memberAt(paths, key)
  const operation = pathItem && memberAt(pathItem, method.toLowerCase())
  if (pathItem === undefined || operation === undefined) return undefined
  const checks = parametersOf(pathItem, operation).flatMap((parameter) => {
    const check = compileParameter(parameter, (schema) => compile(schema, 'parameter', findings))
    return check === undefined ? [] : [check]
  })
  const body = memberAt(operation, 'requestBody')
  return {
    parameters: (request) => violations(checks, request),
    body: body && bodyValidation(body, findings),
  }
}

function violations(
  checks: readonly CheckParameter[],
  request: RequestParameters,
): readonly InvalidField[] {
  return checks.flatMap((check) => check(request) ?? [])
}

/** Those of the operation instead of those of its path, by place and name. */
function parametersOf(pathItem: Cursor, operation: Cursor): readonly Cursor[] {
  const found = new Map<string, Cursor>()
  for (const owner of [pathItem, operation]) {
    for (const parameter of itemsAt(memberAt(owner, 'parameters'))) {
      const key = [valueAt(parameter, 'in'), valueAt(parameter, 'name')].join(' ')
      found.set(key, parameter)
    }
  }
  return [...found.values()]
}

function bodyValidation(body: Cursor, findings: Findings): BodyValidation {
  const content = memberAt(body, 'content')
  const kinds = new Map<string, BodyKind>()
  for (const mediaType of content === undefined ? [] : namesAt(content)) {
    const essence = essenceOf(mediaType)
    const declared = content && memberAt(content, mediaType)
    const schema = declared && memberAt(declared, 'schema')
    if (schema === undefined || !/[/+]json$/.test(essence)) kinds.set(essence, 'opaque')
    else kinds.set(essence, compileBody(schema, findings))
  }
  return {
    required: valueAt(body, 'required') === true,
    kindOf(contentType) {
      if (kinds.size === 0) return 'opaque'
      const essence = essenceOf(contentType ?? '')
      const [type = ''] = essence.split('/')
      return kinds.get(essence) ?? kinds.get(`${type}/*`) ?? kinds.get('*/*') ?? 'unsupported'
    },
  }
}

/** @see RFC 9110 §8.3.1 (media types know no case; parameters are no part of them here) */
function essenceOf(mediaType: string): string {
  return (mediaType.split(';')[0] ?? '').trim().toLowerCase()
}

function compileBody(schema: Cursor, findings: Findings): BodyKind {
  const validate = compile(schema, 'body', findings)
  return (value) =>
    validate === undefined || validate(value) ? [] : fieldsOf(validate.errors ?? [])
}

function compile(
  schema: Cursor,
  kind: 'parameter' | 'body',
  findings: Findings,
): ValidateFunction | undefined {
  try {
    const converted = requestSchemaOf(schema, findings)
    if (kind === 'body') return createAjv(false).compile(converted)
    const { $defs, ...own } = isObject(converted) ? converted : { $defs: {} }
    const properties = { value: typeof converted === 'boolean' ? converted : own }
    return createAjv(true).compile({ type: 'object', properties, $defs })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    findings.problem(`${placeOf(schema)}: requests cannot be validated by it: ${reason}`)
    return undefined
  }
}

/** One for each schema: what it remembers of schemas goes with them at a reload. */
function createAjv(coerceTypes: boolean): Ajv2020 {
  const regExp = Object.assign(
    // Whatever is not linear was left out before.
    (pattern: string) => ({ test: compileLinear(pattern) ?? (() => true) }),
    { code: 'compileLinear' },
  )
  const ajv = new Ajv2020({
    strict: false,
    allErrors: true,
    // `constructor` is a member only where it was sent.
    ownProperties: true,
    coerceTypes,
    validateSchema: false,
    logger: false,
    code: { regExp },
  })
  addFormats.default(ajv, {
    mode: 'fast',
    formats: ['date', 'date-time', 'uuid', 'int32', 'ipv4', 'ipv6'],
  })
  return ajv
}

/** Of alternatives it is told that none matches: what each of them misses would be noise. */
function fieldsOf(errors: readonly ErrorObject[]): readonly InvalidField[] {
  const unions = errors
    .filter(({ keyword }) => keyword === 'anyOf')
    .map((each) => each.instancePath)
  const told = errors.filter(
    ({ keyword, instancePath }) =>
      keyword === 'anyOf' ||
      !unions.some((path) => instancePath === path || instancePath.startsWith(`${path}/`)),
  )
  const fields = new Map<string, InvalidField>()
  for (const error of told.length === 0 ? errors : told) {
    const pointer = pointerOf(error)
    if (!fields.has(pointer)) fields.set(pointer, { pointer, message: messageOf(error) })
    if (fields.size === maxFields) break
  }
  return [...fields.values()]
}

function pointerOf({ instancePath, keyword, params }: ErrorObject): string {
  const missing = keyword === 'required' ? textOf(params['missingProperty']) : undefined
  if (missing === undefined) return instancePath
  return `${instancePath}/${missing.replaceAll('~', '~0').replaceAll('/', '~1')}`
}

export function messageOf({ keyword, message = '' }: ErrorObject): string {
  if (keyword === 'required') return 'must be present'
  return keyword === 'anyOf' ? 'must match one of the alternatives' : message
}
