import { textOf } from '../json.ts'
import { parameterNames, parsePathTemplate } from '../path-template.ts'
import { became, gone, type Change, type Direction } from './change.ts'
import { itemsAt, memberAt, namesAt, valueAt, type Cursor } from '../cursor.ts'
import type { ComparedOperation } from './operations.ts'
import { anythingAt, type CompareSchemas } from './schemas.ts'

/** Compare what is sent to an operation and what it answers. */
export function compareMessages(
  before: ComparedOperation,
  after: ComparedOperation,
  schemas: CompareSchemas,
): readonly Change[] {
  return [
    ...compareParameters(before, after, schemas),
    ...compareBodies(before, after, schemas),
    ...compareAnswers(before, after, schemas),
  ]
}

function compareParameters(
  before: ComparedOperation,
  after: ComparedOperation,
  schemas: CompareSchemas,
): readonly Change[] {
  const [old, next] = [parametersOf(before), parametersOf(after)]
  const removed = [...old].flatMap(([key, parameter]) => {
    const other = next.get(key)
    if (other !== undefined) return parameterChanges(parameter, other, schemas)
    return [gone('parameter-removed', parameter, `${shown(key)} is gone`)]
  })
  const required = [...next].flatMap(([key, parameter]) => {
    if (old.has(key) || valueAt(parameter, 'required') !== true) return []
    return [became('parameter-required', parameter, `${shown(key)} is new and must be sent`)]
  })
  return [...removed, ...required]
}

function shown(key: string): string {
  const [place, ...name] = key.split(' ')
  return `the ${place ?? ''} parameter "${name.join(' ')}"`
}

/** By place and name; those of the path by their number, since they may be called otherwise. */
function parametersOf({ name, at, pathItem }: ComparedOperation): ReadonlyMap<string, Cursor> {
  const template = parsePathTemplate(name.slice(name.indexOf(' ') + 1))
  const names = template === undefined ? [] : parameterNames(template)
  const found = new Map<string, Cursor>()
  for (const owner of [pathItem, at]) {
    for (const parameter of itemsAt(memberAt(owner, 'parameters'))) {
      const place = textOf(valueAt(parameter, 'in')) ?? ''
      const own = textOf(valueAt(parameter, 'name')) ?? ''
      // Fields of a header are told apart without regard to case.
      const key = place === 'header' ? own.toLowerCase() : own
      const position = place === 'path' ? names.indexOf(own) : -1
      found.set(`${place} ${position === -1 ? key : String(position + 1)}`, parameter)
    }
  }
  return found
}

function parameterChanges(
  before: Cursor,
  after: Cursor,
  schemas: CompareSchemas,
): readonly Change[] {
  const name = textOf(valueAt(after, 'name')) ?? ''
  const changes: Change[] = []
  if (valueAt(after, 'required') === true && valueAt(before, 'required') !== true)
    changes.push(became('parameter-required', after, `"${name}" must be sent`))
  const [from, to] = [formOf(before), formOf(after)]
  for (const keyword of ['style', 'explode', 'allowReserved'] as const) {
    if (from[keyword] !== to[keyword])
      changes.push(became('parameter-form-changed', after, `"${keyword}" of "${name}" is another`))
  }
  const own = schemaChanges(before, after, 'request', schemas, name)
  return [...changes, ...(isOwnId(after, name) ? own.filter(isNoForm) : own)]
}

/** How a value is written; what is not said is as OpenAPI has it (3.1.1 §4.8.12.2). */
function formOf(parameter: Cursor) {
  const place = textOf(valueAt(parameter, 'in')) ?? ''
  const usual = ['query', 'cookie'].includes(place) ? 'form' : 'simple'
  const style = textOf(valueAt(parameter, 'style')) ?? usual
  const explode = valueAt(parameter, 'explode') ?? style === 'form'
  return { style, explode, allowReserved: valueAt(parameter, 'allowReserved') ?? false }
}

/** Ids in paths and tokens of pages: callers send what they were given, whatever its form. */
function isOwnId(parameter: Cursor, name: string): boolean {
  if (/^(?:page_?token|cursor)$/i.test(name)) return true
  return valueAt(parameter, 'in') === 'path' && /(?:^|_)id$|[a-z]Id$/.test(name)
}

function isNoForm({ rule }: Change): boolean {
  return rule !== 'constraint-changed' && rule !== 'format-changed'
}

/** The schema of a parameter or a header field: its own, or that of its one media type. */
function schemaChanges(
  before: Cursor,
  after: Cursor,
  direction: Direction,
  schemas: CompareSchemas,
  name: string,
): readonly Change[] {
  const [old, next] = [memberAt(before, 'schema'), memberAt(after, 'schema')]
  const own = old && next ? schemas([old], [next], direction, name) : []
  return [...own, ...compareContents(before, after, direction, schemas)]
}

function compareBodies(
  before: ComparedOperation,
  after: ComparedOperation,
  schemas: CompareSchemas,
): readonly Change[] {
  const [old, next] = [memberAt(before.at, 'requestBody'), memberAt(after.at, 'requestBody')]
  if (next === undefined)
    return old === undefined ? [] : [gone('body-removed', old, 'no body is taken any more')]
  const isRequired = valueAt(next, 'required') === true
  const wasRequired = valueAt(old, 'required') === true
  const changes =
    isRequired && !wasRequired ? [became('body-required', next, 'a body must be sent')] : []
  return old === undefined
    ? changes
    : [...changes, ...compareContents(old, next, 'request', schemas)]
}

function compareContents(
  before: Cursor,
  after: Cursor,
  direction: Direction,
  schemas: CompareSchemas,
): readonly Change[] {
  const [old, next] = [memberAt(before, 'content'), memberAt(after, 'content')]
  if (old === undefined) return []
  return namesAt(old).flatMap((mediaType) => {
    const from = memberAt(old, mediaType)
    const to = next && (memberAt(next, mediaType) ?? rangeOf(next, mediaType))
    if (from === undefined) return []
    if (to === undefined) return [gone('media-type-removed', from, `${mediaType} is gone`)]
    const [schema, other] = [memberAt(from, 'schema'), memberAt(to, 'schema')]
    if (schema === undefined && other === undefined) return []
    return schemas([schema ?? anythingAt(from)], [other ?? anythingAt(to)], direction)
  })
}

function rangeOf(content: Cursor, mediaType: string): Cursor | undefined {
  const [type = ''] = mediaType.split('/')
  return memberAt(content, `${type}/*`) ?? memberAt(content, '*/*')
}

function compareAnswers(
  before: ComparedOperation,
  after: ComparedOperation,
  schemas: CompareSchemas,
): readonly Change[] {
  const [old, next] = [memberAt(before.at, 'responses'), memberAt(after.at, 'responses')]
  if (old === undefined) return []
  return namesAt(old).flatMap((status) => {
    const from = memberAt(old, status)
    const to = next && (memberAt(next, status) ?? memberAt(next, `${status.slice(0, 1)}XX`))
    if (from === undefined || status.startsWith('x-')) return []
    // Of errors, callers can rely on the first digit alone.
    if (to === undefined)
      return /^[23]/.test(status) ? [gone('status-removed', from, `${status} is gone`)] : []
    return [...headerChanges(from, to, schemas), ...compareContents(from, to, 'response', schemas)]
  })
}

function headerChanges(before: Cursor, after: Cursor, schemas: CompareSchemas): readonly Change[] {
  const [old, next] = [memberAt(before, 'headers'), memberAt(after, 'headers')]
  if (old === undefined) return []
  const byName = new Map(
    (next === undefined ? [] : namesAt(next)).map((name) => [name.toLowerCase(), name]),
  )
  return namesAt(old).flatMap((name) => {
    const from = memberAt(old, name)
    const known = byName.get(name.toLowerCase())
    const to = next && known !== undefined ? memberAt(next, known) : undefined
    if (from === undefined) return []
    if (to === undefined) return [gone('header-removed', from, `the field ${name} is gone`)]
    return schemaChanges(from, to, 'response', schemas, name)
  })
}
