import { expect, test } from 'vitest'
import { describeRoutes } from '../../src/catalog/route-list.ts'
import { compileGroups, problemsOf, type TestGroup } from './compile-groups.ts'

const document = {
  openapi: '3.1.0',
  paths: {
    '/a': { get: {}, post: { 'x-lifecycle-stage': 'Preview' } },
    '/b/{id}': {
      get: { 'x-self-access': false, 'x-request-access-name': 'B' },
      delete: { deprecated: true },
    },
  },
}

async function listed(changes: Partial<TestGroup>): Promise<readonly string[]> {
  const { catalog } = await compileGroups({ name: 'g/v1', mount: '/m', ...changes, document })
  return describeRoutes(catalog, () => undefined).map(
    ({ method, path, stage, grants }) => `${method} ${path} ${stage} ${grants.join('|') || '-'}`,
  )
}

test('what the document says is listed with the grants that open it', async () => {
  expect(await listed({})).toEqual([
    'GET /m/a generally-available -',
    'POST /m/a preview -',
    'DELETE /m/b/{id} deprecated -',
    'GET /m/b/{id} generally-available B|g/v1',
  ])
  expect(await listed({ earlyAccess: false })).toEqual(await listed({}))
})

test('a group in Early Access is so whole; what is about to end keeps its stage', async () => {
  expect(await listed({ earlyAccess: true })).toEqual([
    'GET /m/a early-access g/v1',
    'POST /m/a early-access g/v1',
    'DELETE /m/b/{id} deprecated g/v1',
    'GET /m/b/{id} early-access B|g/v1',
  ])
})

test('single operations are named as they are served', async () => {
  expect(await listed({ earlyAccess: ['POST /m/a'] })).toEqual([
    'GET /m/a generally-available -',
    'POST /m/a early-access g/v1',
    'DELETE /m/b/{id} deprecated -',
    'GET /m/b/{id} generally-available B|g/v1',
  ])
})

test('a name that no operation has is a problem: what was meant would be open', async () => {
  const earlyAccess = ['GET /a', 'get /m/a', 'GET /m/a']
  expect(await problemsOf({ name: 'g/v1', mount: '/m', earlyAccess, document })).toEqual([
    'group "g/v1": "earlyAccess" names "GET /a", which is no operation',
    'group "g/v1": "earlyAccess" names "get /m/a", which is no operation',
  ])
})
