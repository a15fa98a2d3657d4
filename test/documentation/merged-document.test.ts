import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { inTurns } from '../../src/documentation/in-turns.ts'
import { describing, mergedDocument } from '../../src/documentation/merged-document.ts'
import { groupPage } from '../../src/documentation/reference-pages.ts'
import { loadConfiguration } from '../../src/config/load.ts'
import { compileGroups as compileConfigured } from '../../src/groups.ts'
import type { DocumentedOperation } from '../../src/documentation/audience.ts'
import { compileGroups, type TestGroup } from '../catalog/compile-groups.ts'

const origin = 'https://api.example.com'

async function merged(
  operations: readonly DocumentedOperation[],
): Promise<Record<string, unknown>> {
  return mergedDocument(await inTurns(describing(operations, origin)), origin)
}

async function mergedOf(...groups: readonly TestGroup[]): Promise<Record<string, unknown>> {
  return merged((await compileGroups(...groups)).catalog.operations)
}

/** What the linter of the specification says. */
async function faultsOf(document: unknown): Promise<readonly string[]> {
  const redocly = await import('@redocly/openapi-core')
  const config = await redocly.createConfig({ extends: ['spec'] })
  const source = redocly.makeDocumentFromString(JSON.stringify(document), '/openapi.json')
  const externalRefResolver = new redocly.BaseResolver()
  const found = await redocly.lintDocument({ document: source, config, externalRefResolver })
  return found.map(({ message }) => message)
}

test('the shipped configuration is one valid document', async () => {
  const file = resolve(import.meta.dirname, '../../config/gateway.yaml')
  const { catalog, upstreams } = await compileConfigured(await loadConfiguration(file, {}))
  await Promise.all(upstreams.map((upstream) => upstream.close()))
  const document = await merged(catalog.operations)
  expect(await faultsOf(document)).toEqual([])
  const paths = document['paths'] as Readonly<Record<string, object>>
  const count = Object.values(paths).reduce((sum, item) => sum + Object.keys(item).length, 0)
  expect(count).toBe(catalog.operations.length)
  // Else the linter would find nothing in anything.
  const broken = { ...document, components: { schemas: { Broken: { type: 'nonsense' } } } }
  expect(await faultsOf(broken)).not.toEqual([])
})

function documentOf(schema: object, version = '3.1.0'): object {
  return {
    openapi: version,
    paths: {
      '/x': {
        get: {
          'x-backend': 'http://internal.test',
          responses: {
            200: {
              description: '',
              content: { 'application/json': { schema: { $ref: '#/components/schemas/Thing' } } },
            },
          },
        },
      },
    },
    components: { schemas: { Thing: schema } },
  }
}

test('schemas of one name in two documents stay two, and each is referred to by its own', async () => {
  const document = await mergedOf(
    { name: 'a/v1', mount: '/a', document: documentOf({ type: 'string' }) },
    { name: 'b/v1', mount: '/b', document: documentOf({ type: 'integer' }) },
  )
  expect(document['components']).toEqual({
    schemas: { Thing: { type: 'string' }, 'b-v1.Thing': { type: 'integer' } },
  })
  const text = JSON.stringify(document['paths'])
  expect(text.match(/#\/components\/schemas\/[\w.-]+/g)).toEqual([
    '#/components/schemas/Thing',
    '#/components/schemas/b-v1.Thing',
  ])
})

test('schemas of OpenAPI 3.0 are said in the terms of 3.1, loops included', async () => {
  const document = await mergedOf({
    document: documentOf(
      {
        type: 'object',
        nullable: true,
        properties: {
          next: { $ref: '#/components/schemas/Thing' },
          size: { type: 'integer', minimum: 0, exclusiveMinimum: true },
        },
      },
      '3.0.3',
    ),
  })
  expect(document['components']).toMatchObject({
    schemas: {
      Thing: {
        type: ['object', 'null'],
        properties: {
          next: { $ref: '#/components/schemas/Thing' },
          size: { exclusiveMinimum: 0 },
        },
      },
    },
  })
  expect(JSON.stringify(document)).not.toContain('nullable')
  expect(await faultsOf({ ...document, security: [] })).toEqual([])
})

test('extensions that are not for callers stay here', async () => {
  const document = await mergedOf({ document: documentOf({ type: 'string' }) })
  expect(JSON.stringify(document)).not.toContain('internal.test')
})

test('security is what the catalog compiled, by schemes as they are presented', async () => {
  const document = await mergedOf({
    schemes: { key: 'cloud-api-key', token: 'sts-access-token', old: 'ignore' },
    document: {
      openapi: '3.1.0',
      security: [{ key: [] }, { token: [] }, { old: [] }],
      paths: { '/x': { get: {} }, '/open': { get: { security: [] } } },
      components: { securitySchemes: { key: { type: 'apiKey', in: 'header', name: 'X-Key' } } },
    },
  })
  expect(document['paths']).toMatchObject({
    '/x': { get: { security: [{ key: [] }, { token: [] }] } },
    '/open': { get: { security: [] } },
  })
  expect(document['components']).toEqual({
    securitySchemes: {
      key: { type: 'http', scheme: 'basic' },
      token: { type: 'http', scheme: 'bearer' },
    },
  })
})

test.each([
  ['Preview', false],
  ['Limited Availability', false],
  ['Deprecated', true],
])('what is in %s is marked so, in the document and on the pages', async (stage, deprecated) => {
  const dates = { 'x-deprecated-at': '2026-01-01', 'x-sunset-at': '2027-01-01' }
  const get = { 'x-lifecycle-stage': stage, ...(deprecated ? dates : {}) }
  const { catalog } = await compileGroups({
    ...{ name: 'a/v1', document: { openapi: '3.1.0', paths: { '/x': { get } } } },
  })
  const described = await inTurns(describing(catalog.operations, origin))
  expect(mergedDocument(described, origin)['paths']).toMatchObject({
    '/x': { get: { 'x-lifecycle-stage': stage, deprecated } },
  })
  const page = groupPage('a/v1', described).replaceAll(/<[^>]*>|\s+/g, ' ')
  expect(page).toMatch(new RegExp(`GET /x +${stage} `))
  const ends = /Deprecated from 2026-01-01T00:00:00.000Z on\. +May be gone from 2027-01-01/
  expect(ends.test(page)).toBe(deprecated)
})

test('AUTHORIZATIONS of a page are what the catalog compiled, not what the document says', async () => {
  const { catalog } = await compileGroups({
    name: 'a/v1',
    schemes: { key: 'cloud-api-key', token: 'partner-access-token', old: 'ignore' },
    undeclaredSecurity: ['global-api-key'],
    document: {
      openapi: '3.1.0',
      paths: {
        '/a': { get: { security: [{ key: [], token: ['partner:describe'] }, { old: [] }] } },
        '/b': { get: { security: [{ token: [] }, { key: [] }] } },
        '/c': { get: { security: [] } },
        '/d': { get: {} },
      },
      components: { securitySchemes: { unused: { type: 'http', scheme: 'basic' } } },
    },
  })
  const page = groupPage('a/v1', await inTurns(describing(catalog.operations, origin)))
  const listed = page
    .split('<section>')
    .slice(1)
    .map((section) => {
      const list = section.slice(section.indexOf('AUTHORIZATIONS'), section.indexOf('</ul>'))
      const items = [...list.matchAll(/<li><code>([^<]*)<\/code>/g)].map(([, item]) => item)
      return items.length === 0 ? section.match(/None: anybody may call it/)?.[0] : items
    })
  expect(listed).toEqual([
    ['key and token (partner:describe)'],
    ['token', 'key'],
    'None: anybody may call it',
    ['global-api-key'],
  ])
  expect(page).not.toContain('unused')
})
