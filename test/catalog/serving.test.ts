import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { compileCatalog } from '../../src/catalog/catalog.ts'
import {
  compileGroups,
  documentWith,
  folderWith,
  found,
  problemsOf,
  type TestGroup,
} from './compile-groups.ts'

async function pathsOf(servers: unknown, group: Partial<TestGroup> = {}) {
  const document = { openapi: '3.1.0', servers, paths: { '/a': { get: {} } } }
  const { catalog, warnings } = await compileGroups({ ...group, document })
  return { paths: catalog.operations.map(({ path }) => path), warnings }
}

describe('the base path', () => {
  const cases = [
    [undefined, '/a'],
    [[], '/a'],
    [[{ url: 'https://api.example.com' }], '/a'],
    [[{ url: 'https://api.example.com/' }], '/a'],
    [[{ url: 'https://api.example.com/kafka/v3/' }], '/kafka/v3/a'],
    [[{ url: 'https://api.example.com/v1?x=y#z' }], '/v1/a'],
    [[{ url: '/v1' }], '/v1/a'],
    [[{ url: 'v1' }], '/v1/a'],
    [[{ url: './v1/../v2' }], '/v2/a'],
    [[{ url: '../../v1' }], '/v1/a'],
    [[{ url: '//api.example.com//v1' }], '/v1/a'],
    [[{ url: '' }], '/a'],
    [[{ url: 'https://{region}.example.com:{port}/v1' }], '/v1/a'],
    [[{ url: '{protocol}://{address}:{port}/v3' }], '/v3/a'],
    [[{ url: 'https://h/{v}', variables: { v: { default: 'v2', enum: ['v1', 'v2'] } } }], '/v2/a'],
    [[{ url: 'https://h/{v}', variables: { v: { default: 2 } } }], '/2/a'],
    [[{ url: '{base}', variables: { base: { default: 'https://h/v1' } } }], '/v1/a'],
    ['not a list', '/a'],
  ] as const
  for (const [servers, path] of cases) {
    test(`of ${servers === undefined ? 'no servers' : JSON.stringify(servers)} makes ${path}`, async () => {
      expect(await pathsOf(servers)).toEqual({ paths: [path], warnings: [] })
    })
  }

  test('is that of the nearest servers', async () => {
    const { catalog } = await compileGroups({
      document: {
        openapi: '3.1.0',
        servers: [{ url: '/document' }],
        paths: {
          '/a': { get: {}, put: { servers: [{ url: '/operation' }] } },
          '/b': { servers: [{ url: '/item' }], get: {} },
        },
      },
    })
    expect(catalog.operations.map(({ path }) => path)).toEqual([
      '/document/a',
      '/operation/a',
      '/item/b',
    ])
  })

  test('is the first one, with a warning, where servers differ', async () => {
    const servers = [{ url: 'https://a/v1' }, { url: 'https://b/v1' }, { url: 'https://b/' }]
    expect(await pathsOf(servers)).toEqual({
      paths: ['/v1/a'],
      warnings: [
        'group "group-0": its servers differ in their base paths: "/v1" is served, "" is not',
      ],
    })
  })

  test('is what the configuration says, where it does', async () => {
    expect((await pathsOf([{ url: '/v1' }], { basePath: '/v2' })).paths).toEqual(['/v2/a'])
    expect((await pathsOf([{ url: '/v1' }], { basePath: '' })).paths).toEqual(['/a'])
    expect((await pathsOf([{ url: '/{x}' }], { basePath: '/v2' })).paths).toEqual(['/v2/a'])
  })

  test('is a problem where a variable in it has no default', async () => {
    const document = { ...documentWith({ '/a': ['get'] }), servers: [{ url: 'https://h/{x}' }] }
    expect(await problemsOf({ name: 'g', document })).toEqual([
      'group "g": the base path of its server https://h/{x} has a variable without a default; set "basePath" of the group',
    ])
  })
})

describe('the mount', () => {
  test('stands before the base path, and in front of what is forwarded', async () => {
    const { paths } = await pathsOf([{ url: '/v1' }], { mount: '/billing' })
    expect(paths).toEqual(['/billing/v1/a'])
  })

  test('is a literal path prefix', async () => {
    for (const mount of ['/{tenant}', 'a', '/a/', '/a b', '/%41']) {
      expect(
        await problemsOf({ name: 'g', mount, document: documentWith({ '/a': ['get'] }) }),
      ).toEqual([`group "g": its mount "${mount}" is not a literal path prefix`])
    }
  })
})

test('two versions of one group are served side by side', async () => {
  const document = documentWith({ '/clusters/{id}': ['get'] })
  const { catalog } = await compileGroups(
    { name: 'cmk/v2', basePath: '/cmk/v2', document },
    { name: 'cmk/v3', basePath: '/cmk/v3', document },
  )
  expect(found(catalog, 'GET', '/cmk/v2/clusters/a')).toBe('/cmk/v2/clusters/{id} id=a')
  expect(found(catalog, 'GET', '/cmk/v3/clusters/a')).toBe('/cmk/v3/clusters/{id} id=a')
  expect(found(catalog, 'GET', '/cmk/v4/clusters/a')).toBe('not-found')
})

test('an operation is named by its group, method and served path', async () => {
  const { catalog } = await compileGroups({
    name: 'cmk/v2',
    mount: '/public',
    document: { openapi: '3.1.0', paths: { '/a/{x}': { get: { operationId: 'readA' } } } },
  })
  expect(catalog.operations).toMatchObject([
    {
      id: 'cmk/v2 GET /public/a/{x}',
      operationId: 'readA',
      method: 'GET',
      path: '/public/a/{x}',
      group: { name: 'cmk/v2' },
    },
  ])
})

test('a path item can be elsewhere, and be added to', async () => {
  const { catalog } = await compileGroups({
    document: {
      openapi: '3.1.0',
      paths: { '/a': { $ref: '#/components/pathItems/A', put: {} }, 'x-other': { get: {} } },
      components: { pathItems: { A: { get: {} } } },
    },
  })
  expect(catalog.operations.map(({ method }) => method)).toEqual(['GET', 'PUT'])
})

test('what opens an operation that is in a file of its own is read there', async () => {
  const folder = await folderWith({
    'api.yaml': {
      openapi: '3.1.0',
      paths: { '/a': { get: { $ref: 'get.yaml' }, put: { $ref: 'put.yaml' } } },
    },
    'get.yaml': { security: [{ key: [] }] },
    'put.yaml': { security: { $ref: 'security.yaml#/missing' } },
    'security.yaml': {},
  })
  const group = {
    name: 'g',
    documentPath: join(folder, 'api.yaml'),
    mount: '',
    hosts: [],
    schemes: {},
    undeclaredSecurity: 'anonymous' as const,
  }
  await expect(compileCatalog([group])).rejects.toMatchObject({
    problems: [
      expect.stringContaining('GET /a: its security scheme "key" has no meaning'),
      'group "g": PUT /a: its "security" is not a list',
    ],
  })
})

test('an operation that cannot be found is a problem', async () => {
  const document = { openapi: '3.1.0', paths: { '/a': { get: { $ref: 'get.yaml' } } } }
  expect(await problemsOf({ name: 'g', document })).toEqual([
    'group "g": GET /a: its reference "get.yaml" leads nowhere',
  ])
})

test('a path item that cannot be found is a problem', async () => {
  const document = { openapi: '3.1.0', paths: { '/a': { $ref: '#/components/pathItems/A' } } }
  expect(await problemsOf({ name: 'g', document })).toEqual([
    'group "g": path /a: its reference "#/components/pathItems/A" leads nowhere',
  ])
})

test('a parameter of the path item is replaced by one of the operation', async () => {
  const { catalog } = await compileGroups({
    document: {
      openapi: '3.1.0',
      paths: {
        '/a/{x}': {
          parameters: [
            { name: 'x', in: 'path', schema: { type: 'string' } },
            { name: 'q', in: 'query', schema: { type: 'string' } },
          ],
          get: {
            parameters: [
              { $ref: '#/components/parameters/Q' },
              {
                name: 'h',
                in: 'header',
                content: { 'text/plain': { schema: { type: 'number' } } },
              },
              { $ref: '#/components/parameters/Missing' },
              { name: 'unknown', in: 'body' },
            ],
          },
        },
      },
      components: {
        parameters: {
          Q: { name: 'q', in: 'query', required: true, schema: { $ref: '#/components/schemas/S' } },
        },
        schemas: { S: { type: 'integer' } },
      },
    },
  })
  expect(catalog.operations[0]?.parameters).toEqual([
    { name: 'x', in: 'path', required: true, schema: { type: 'string' } },
    { name: 'q', in: 'query', required: true, schema: { type: 'integer' } },
    { name: 'h', in: 'header', required: false, schema: { type: 'number' } },
  ])
})
