import { join } from 'node:path'
import { expect, test } from 'vitest'
import { compileCatalog } from '../../src/catalog/catalog.ts'
import { describeRoutes } from '../../src/catalog/route-list.ts'
import { compileGroups, documentWith, folderWith, found, problemsOf } from './compile-groups.ts'

test('every problem of every group is reported at once', async () => {
  const problems = await problemsOf(
    { name: 'broken', document: 'paths: [' },
    { name: 'old', document: { swagger: '2.0' } },
    {
      name: 'open',
      document: documentWith({ '/a': ['get', 'put'] }),
      undeclaredSecurity: undefined,
    },
    { name: 'twin', document: documentWith({ '/b': ['get'] }) },
    { name: 'twin', document: documentWith({ '/b': ['get'] }) },
  )
  expect(problems.map((problem) => problem.replace(/\/\S*\//, '/…/'))).toEqual([
    expect.stringMatching(/^group "broken": \/…\/document-0\.json:1:9: it cannot be read: /),
    expect.stringMatching(/^group "old": \/…\/document-1\.json: this is a Swagger 2\.0 document/),
    expect.stringMatching(/^group "open": GET \/a: it declares no security/),
    expect.stringMatching(/^group "open": PUT \/a: it declares no security/),
    '2 groups are called "twin"',
    'GET /b of group "twin" and GET /b of group "twin" overlap under the same host, and neither is more specific',
  ])
})

test('the error lists the problems in its message', async () => {
  await expect(
    compileGroups({
      name: 'g',
      undeclaredSecurity: undefined,
      document: documentWith({ '/a': ['get'] }),
    }),
  ).rejects.toThrow(
    /^The API groups do not compile:\n {2}group "g": GET \/a: it declares no security/,
  )
})

test('operations carry the very group they were compiled from', async () => {
  const folder = await folderWith({ 'api.json': documentWith({ '/a': ['get'] }) })
  const group = {
    name: 'g',
    documentPath: join(folder, 'api.json'),
    mount: '',
    hosts: [],
    schemes: {},
    undeclaredSecurity: 'anonymous' as const,
    upstream: Symbol('the app’s own'),
  }
  const { catalog } = await compileCatalog([group])
  const match = catalog.match('h', 'GET', '/a')
  expect(match.kind === 'found' && match.operation.group).toBe(group)
})

test('without groups nothing is served', async () => {
  const { catalog } = await compileCatalog([])
  expect(catalog.match('h', 'GET', '/')).toEqual({ kind: 'host-unknown' })
})

test('thousands of operations are found, each by its own path', async () => {
  const groups = Array.from({ length: 10 }, (_, group) => {
    const paths = Array.from({ length: 200 }, (_, index) => `/g${group}/r${index}/{id}`)
    return {
      document: documentWith(Object.fromEntries(paths.map((path) => [path, ['get', 'put']]))),
    }
  })
  const { catalog } = await compileGroups(...groups)
  expect(catalog.operations).toHaveLength(4000)
  for (const { method, path } of catalog.operations) {
    expect(found(catalog, method, path.replace('{id}', 'x'))).toBe(`${path} id=x`)
  }
})

test('routes are listed by path, with what opens them as the document names it, and the roles that hold them', async () => {
  const { catalog } = await compileGroups(
    {
      name: 'iam/v2',
      hosts: ['api.example.com'],
      schemes: {
        'cloud-api-key': 'cloud-api-key',
        'confluent-sts-access-token': 'sts-access-token',
        oauth: 'partner-access-token',
      },
      document: {
        openapi: '3.1.0',
        security: [{ 'cloud-api-key': [] }, { 'confluent-sts-access-token': [] }],
        paths: {
          '/b': {
            put: { 'x-lifecycle-stage': 'Preview' },
            get: { security: [{ oauth: ['a', 'b'] }] },
          },
          '/a': { get: { security: [{}, { 'cloud-api-key': [], oauth: [] }] } },
        },
      },
    },
    { name: 'sts/v1', document: documentWith({ '/sts': ['post'] }) },
  )
  const hosts = ['api.example.com']
  const open = { stage: 'generally-available', grants: [] }
  const rolesOf = ({ method, group }: { method: string; group: { name: string } }) =>
    group.name === 'iam/v2' ? [method, 'Admin'] : undefined
  expect(describeRoutes(catalog, rolesOf)).toEqual([
    {
      method: 'GET',
      path: '/a',
      hosts,
      group: 'iam/v2',
      authorizations: 'none | cloud-api-key & oauth',
      roles: ['GET', 'Admin'],
      ...open,
    },
    {
      method: 'GET',
      path: '/b',
      hosts,
      group: 'iam/v2',
      authorizations: 'oauth (a b)',
      roles: ['GET', 'Admin'],
      ...open,
    },
    {
      method: 'PUT',
      path: '/b',
      hosts,
      group: 'iam/v2',
      authorizations: 'cloud-api-key | confluent-sts-access-token',
      roles: ['PUT', 'Admin'],
      stage: 'preview',
      grants: [],
    },
    {
      method: 'POST',
      path: '/sts',
      hosts: [],
      group: 'sts/v1',
      authorizations: 'none',
      roles: undefined,
      ...open,
    },
  ])
})
