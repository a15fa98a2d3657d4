import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareDocuments, type Comparison } from '../../src/catalog/compat/compare.ts'
import { loadDocument } from '../../src/catalog/document.ts'
import { folderWith } from './compile-groups.ts'

type Json = Readonly<Record<string, unknown>>

const now = Date.UTC(2026, 10, 24)

async function compare(before: Json, after: Json): Promise<Comparison> {
  const folder = await folderWith({
    'old.json': JSON.stringify(before, null, 2),
    'new.json': JSON.stringify(after, null, 2),
  })
  const [old, next] = [join(folder, 'old.json'), join(folder, 'new.json')]
  return compareDocuments(await loadDocument(old), await loadDocument(next), now)
}

async function rulesOf(before: Json, after: Json): Promise<readonly string[]> {
  return (await compare(before, after)).breaking.map(({ rule }) => rule)
}

/** A document with one operation, `POST /things/{id}`, and members beside its paths. */
function post(operation: Json, others: Json = {}): Json {
  return { openapi: '3.1.0', paths: { '/things/{id}': { post: operation } }, ...others }
}

function sending(schema: Json): Json {
  return post({ requestBody: { content: { 'application/json': { schema } } } })
}

function answering(schema: Json): Json {
  return post({ responses: { 200: { content: { 'application/json': { schema } } } } })
}

const object = (properties: Json, required: readonly string[] = []): Json => ({
  type: 'object',
  properties,
  required,
})
const text = { type: 'string' }
const query = (name: string, others: Json = {}): Json => ({
  name,
  in: 'query',
  schema: text,
  ...others,
})
const secured = (...security: readonly Json[]): Json => post({ security })

describe('callers break', () => {
  test.each<[string, Json, Json]>([
    ['operation-removed', post({}), { openapi: '3.1.0', paths: {} }],
    ['operation-removed', post({}), post({ 'x-lifecycle-stage': 'Sunset' })],
    ['base-path-changed', post({}), post({}, { servers: [{ url: 'https://a.example/v2' }] })],
    ['stage-lowered', post({}), post({ 'x-lifecycle-stage': 'Preview' })],
    ['stage-lowered', post({}), post({ 'x-self-access': false })],
    [
      'sunset-earlier',
      post({ 'x-sunset-at': '2028-01-01T00:00:00Z' }),
      post({ 'x-sunset-at': '2027-01-01T00:00:00Z' }),
    ],
    [
      'notice-too-short',
      post({}),
      post({ 'x-deprecated-at': '2027-01-01T00:00:00Z', 'x-sunset-at': '2027-05-01T00:00:00Z' }),
    ],
    ['notice-too-short', post({}), post({ deprecated: true, 'x-sunset-at': '2027-05-01' })],
    ['security-narrowed', secured({ a: [] }, { b: [] }), secured({ a: [] })],
    ['security-narrowed', secured({ a: [] }), secured({ a: ['write'] })],
    ['security-narrowed', post({}), secured({ a: [] })],
    ['parameter-removed', post({ parameters: [query('q')] }), post({})],
    ['parameter-required', post({}), post({ parameters: [query('q', { required: true })] })],
    [
      'parameter-required',
      post({ parameters: [query('q')] }),
      post({ parameters: [query('q', { required: true })] }),
    ],
    [
      'parameter-form-changed',
      post({ parameters: [query('q')] }),
      post({ parameters: [query('q', { explode: false })] }),
    ],
    ['body-removed', sending(text), post({})],
    ['body-required', post({}), post({ requestBody: { required: true, content: {} } })],
    [
      'media-type-removed',
      sending(text),
      post({ requestBody: { content: { 'text/plain': { schema: text } } } }),
    ],
    ['status-removed', post({ responses: { 200: {} } }), post({ responses: { 201: {} } })],
    [
      'header-removed',
      post({ responses: { 200: { headers: { 'X-A': { schema: text } } } } }),
      post({ responses: { 200: {} } }),
    ],
    ['field-removed', sending(object({ a: text })), sending(object({}))],
    ['field-removed', answering(object({ a: text })), answering(object({}))],
    [
      'field-removed',
      sending(object({ a: text })),
      sending(object({ a: { ...text, readOnly: true } })),
    ],
    [
      'field-removed',
      answering(object({ a: text })),
      answering(object({ a: { ...text, writeOnly: true } })),
    ],
    ['field-required', sending(object({})), sending(object({ a: text }, ['a']))],
    ['field-not-promised', answering(object({ a: text }, ['a'])), answering(object({ a: text }))],
    ['type-changed', sending(text), sending({ type: 'integer' })],
    ['type-changed', sending({ type: ['string', 'null'] }), sending(text)],
    ['type-changed', answering({ type: 'integer' }), answering({ type: 'number' })],
    ['type-changed', answering(text), answering({ type: ['string', 'null'] })],
    [
      'type-changed',
      answering(text),
      post({ responses: { 200: { content: { 'application/json': {} } } } }),
    ],
    ['type-changed', post({ requestBody: { content: { 'application/json': {} } } }), sending(text)],
    ['type-changed', sending({ type: 'array' }), sending({ type: 'array', items: text })],
    ['type-changed', answering({ type: 'array', items: text }), answering({ type: 'array' })],
    ['type-changed', sending(object({ a: text })), sending(object({ a: false }))],
    [
      'format-changed',
      answering({ ...text, format: 'date-time' }),
      answering({ ...text, format: 'date' }),
    ],
    ['enum-narrowed', sending({ enum: ['a', 'b'] }), sending({ enum: ['a'] })],
    [
      'enum-narrowed',
      sending({ 'x-extensible-enum': ['a', 'b'] }),
      sending({ 'x-extensible-enum': ['a'] }),
    ],
    ['enum-narrowed', sending(text), sending({ ...text, enum: ['a'] })],
    ['enum-widened', answering({ enum: ['a'] }), answering({ enum: ['a', 'b'] })],
    ['enum-widened', answering({ enum: ['a'] }), answering({ 'x-extensible-enum': ['a'] })],
    ['constraint-changed', sending({ ...text, maxLength: 9 }), sending({ ...text, maxLength: 8 })],
    ['constraint-changed', sending(text), sending({ ...text, pattern: '^a' })],
    ['constraint-changed', answering({ maximum: 9 }), answering({ maximum: 10 })],
    ['constraint-changed', sending({ maximum: 9 }), sending({ exclusiveMaximum: 9 })],
    [
      'constraint-changed',
      sending({ allOf: [{ ...text, maxLength: 9 }, { maxLength: 5 }] }),
      sending({ allOf: [{ ...text, maxLength: 9 }, { maxLength: 4 }] }),
    ],
    ['default-changed', sending({ ...text, default: 'a' }), sending({ ...text, default: 'b' })],
    [
      'alternative-removed',
      sending({ oneOf: [text, { type: 'integer' }] }),
      sending({ oneOf: [text] }),
    ],
    [
      'alternative-added',
      answering({ oneOf: [text] }),
      answering({ oneOf: [text, { type: 'null' }] }),
    ],
    [
      'scheme-changed',
      secured({ a: [] }),
      { ...secured({ a: [] }), components: { securitySchemes: { a: { type: 'http' } } } },
    ],
  ])('by %s', async (rule, before, after) => {
    if (rule === 'scheme-changed') {
      const components = { securitySchemes: { a: { type: 'apiKey', in: 'header', name: 'x' } } }
      expect(await rulesOf({ ...before, components }, after)).toContain(rule)
      return
    }
    expect(await rulesOf(before, after)).toEqual([rule])
    expect(await rulesOf(before, before)).toEqual([])
  })
})

describe('callers do not break', () => {
  test.each<[string, Json, Json]>([
    [
      'by another name of a path parameter',
      post({}),
      {
        openapi: '3.1.0',
        paths: { '/things/{thing_id}': { post: {} } },
      },
    ],
    [
      'by a value of an open enum',
      answering({ 'x-extensible-enum': ['a'] }),
      answering({ 'x-extensible-enum': ['a', 'b'] }),
    ],
    ['by a new optional parameter', post({}), post({ parameters: [query('q')] })],
    ['by a new member of an answer', answering(object({})), answering(object({ a: text }, ['a']))],
    [
      'by longer ids',
      answering(object({ id: { ...text, maxLength: 9 } })),
      answering(object({ id: text })),
    ],
    [
      'by what could be null and is left out',
      answering(object({ a: { type: ['string', 'null'] } }, ['a'])),
      answering(object({ a: { type: ['string', 'null'] } })),
    ],
    [
      'by other sizes of pages',
      post({
        parameters: [
          query('page_size', { schema: { type: 'integer', maximum: 100, default: 10 } }),
        ],
      }),
      post({
        parameters: [query('page_size', { schema: { type: 'integer', maximum: 50, default: 20 } })],
      }),
    ],
    [
      'by what a page is found by, and by the form of ids in paths',
      post({
        parameters: [
          query('page_token', { schema: { ...text, maxLength: 255 } }),
          query('thing_id', { in: 'path', required: true, schema: { ...text, pattern: '^a-' } }),
        ],
      }),
      post({
        parameters: [
          query('page_token', { schema: { ...text, maxLength: 100 } }),
          query('thing_id', { in: 'path', required: true, schema: { ...text, pattern: '^b-' } }),
        ],
      }),
    ],
    [
      'by what is said that held before',
      post({ parameters: [query('q')] }),
      post({
        parameters: [
          query('q', { style: 'form', explode: true, schema: { ...text, minLength: 0 } }),
        ],
      }),
    ],
    [
      'by the words of OpenAPI 3.1',
      {
        ...answering({ type: 'integer', minimum: 0, exclusiveMinimum: true, nullable: true }),
        openapi: '3.0.3',
      },
      answering({ type: ['integer', 'null'], exclusiveMinimum: 0 }),
    ],
    ['by an end that is announced today', post({}), post({ 'x-sunset-at': '2027-05-23' })],
    ['by another error', post({ responses: { 404: {} } }), post({ responses: { 422: {} } })],
    ['by another credential beside', secured({ a: [] }), secured({ a: [] }, { b: [] })],
    [
      'by additionalProperties: false',
      sending({ type: 'object' }),
      sending({ type: 'object', additionalProperties: false }),
    ],
    [
      'by a read-only member that is required',
      sending(object({})),
      sending(object({ id: { ...text, readOnly: true } }, ['id'])),
    ],
    [
      'by the end of what was announced 180 days before',
      post({
        deprecated: true,
        'x-deprecated-at': '2026-01-01T00:00:00Z',
        'x-sunset-at': '2026-11-01T00:00:00Z',
      }),
      { openapi: '3.1.0', paths: {} },
    ],
    [
      'by what a document says in another way',
      sending(object({ a: text })),
      {
        ...sending({ allOf: [{ $ref: '#/components/schemas/A' }, { type: 'object' }] }),
        components: {
          schemas: { A: { properties: { a: { $ref: '#/components/schemas/T' } } }, T: text },
        },
      },
    ],
  ])('%s', async (_, before, after) => {
    expect(await rulesOf(before, after)).toEqual([])
  })

  test('by a list within itself', async () => {
    const schema = { $ref: '#/components/schemas/List' }
    const document = (List: Json) => ({ ...answering(schema), components: { schemas: { List } } })
    const [old, next] = [document({ type: 'array' }), document({ type: 'array', items: schema })]
    expect(await rulesOf(old, next)).toEqual([])
    expect(await rulesOf(next, old)).toEqual(['type-changed'])
  })

  test('by a schema within itself', async () => {
    const tree = { type: 'object', properties: { of: { $ref: '#/components/schemas/Tree' } } }
    const document = {
      ...answering({ $ref: '#/components/schemas/Tree' }),
      components: { schemas: { Tree: tree } },
    }
    expect(await rulesOf(document, document)).toEqual([])
  })
})

test.each(['Early Access', 'Preview'])('%s may change, and the change is told', async (stage) => {
  const before = post({ 'x-lifecycle-stage': stage, parameters: [query('q')] })
  const { breaking, allowed } = await compare(before, post({}))
  expect(breaking).toEqual([])
  expect(allowed.map(({ rule }) => rule)).toEqual(['parameter-removed'])
})

test('what many operations meet is told once, with its place and all of them', async () => {
  const schema = { $ref: '#/components/schemas/S' }
  const body = { requestBody: { content: { 'application/json': { schema } } } }
  const document = (member: Json) => ({
    openapi: '3.1.0',
    paths: { '/a': { put: body, post: body } },
    components: { schemas: { S: object({ kept: text, ...member }) } },
  })
  const { breaking } = await compare(document({ gone: text }), document({}))
  expect(breaking).toHaveLength(1)
  expect(breaking[0]).toMatchObject({
    rule: 'field-removed',
    document: 'old',
    pointer: '#/components/schemas/S/properties/gone',
    operations: ['PUT /a', 'POST /a'],
  })
  const lines = JSON.stringify(document({ gone: text }), null, 2).split('\n')
  expect(lines[(breaking[0]?.line ?? 0) - 1]).toContain('"gone"')
})

describe('whatever a document holds', () => {
  const name = fc.constantFrom('alpha', 'beta', 'gamma', 'delta', 'constructor', '__proto__x')
  const leaves = [text, { type: 'integer' }]
  const schemaOf = (leaf: fc.Arbitrary<Json>): fc.Arbitrary<Json> =>
    fc.letrec<{ schema: Json }>((tie) => ({
      schema: fc.oneof(
        { maxDepth: 3 },
        leaf,
        fc.dictionary(name, tie('schema'), { minKeys: 1 }).map((properties) => object(properties)),
        tie('schema').map((items) => ({ type: 'array', items })),
      ),
    })).schema
  const sent = schemaOf(fc.constantFrom<Json>(...leaves, { ...text, enum: ['a', 'b'] }))
  // A closed list that callers read may shrink: it is the one removal that breaks nobody.
  const read = schemaOf(fc.constantFrom<Json>(...leaves))
  const operation = fc.record({
    parameters: fc
      .uniqueArray(name, { minLength: 1 })
      .map((names) => names.map((each) => query(each))),
    requestBody: sent.map((one) => ({ content: { 'application/json': { schema: one } } })),
    responses: read.map((one) => ({ 200: { content: { 'application/json': { schema: one } } } })),
    security: fc.constant([{ a: [] }, { b: [] }]),
  })
  const document = fc
    .dictionary(name, operation, { minKeys: 1, noNullPrototype: true })
    .map((operations): Json => ({
      openapi: '3.1.0',
      paths: Object.fromEntries(
        Object.entries(operations).map(([path, post]) => [`/${path}`, { post }]),
      ),
    }))

  /** Each place where something can be taken away that callers may rely on, as a change of a copy. */
  function removals(node: unknown, name = ''): readonly ((copy: never) => void)[] {
    if (typeof node !== 'object' || node === null) return []
    const isList = ['parameters', 'security', 'enum'].includes(name) && Array.isArray(node)
    const isMap = ['paths', 'properties', 'content', 'responses'].includes(name)
    const own = isList || isMap ? Object.keys(node) : []
    const here = own.map((key) => (copy: Record<string, unknown>) => {
      if (Array.isArray(copy)) copy.splice(Number(key), 1)
      else Reflect.deleteProperty(copy, key)
    })
    const below = Object.entries(node).flatMap(([key, child]) =>
      removals(child, isMap ? '' : key).map((change) => (copy: Record<string, unknown>) => {
        change(copy[key] as never)
      }),
    )
    return [...here, ...below] as never
  }

  function additions(copy: unknown, name = ''): void {
    if (typeof copy !== 'object' || copy === null) return
    for (const [key, child] of Object.entries(copy))
      additions(child, name === 'properties' ? '' : key)
    if (name === 'parameters') (copy as unknown[]).push(query('added'))
    if (name === 'security') (copy as unknown[]).push({ added: [] })
    if (['properties', 'content'].includes(name)) Reflect.set(copy, 'added', text)
    if (name === 'paths') Reflect.set(copy, '/added', { get: {} })
    if (name === 'responses') Reflect.set(copy, '202', {})
  }

  test('what is added breaks nobody', async () => {
    await fc.assert(
      fc.asyncProperty(document, async (before) => {
        const after = structuredClone(before)
        additions(after)
        expect(await rulesOf(before, before)).toEqual([])
        expect(await rulesOf(before, after)).toEqual([])
      }),
      { numRuns: 60 },
    )
  })

  test('what is taken away always breaks somebody', async () => {
    await fc.assert(
      fc.asyncProperty(document, fc.nat(), async (before, number) => {
        const all = removals(before)
        const change = all[number % all.length]
        const after = structuredClone(before)
        change?.(after as never)
        expect(await rulesOf(before, after)).not.toEqual([])
      }),
      { numRuns: 100 },
    )
  })
})
