import { describe, expect, test } from 'vitest'
import { resourceOf, type RequestParts, type ResourceRule } from '../../src/catalog/resource.ts'
import { compileGroups, documentWith, problemsOf } from './compile-groups.ts'

type Request = Parameters<typeof resourceOf>[1] & RequestParts

const nothing: Request = { params: {}, hostParams: {}, query: '', header: () => undefined }

function resourceIn(rule: ResourceRule | undefined, request: Partial<Request>) {
  const whole = { ...nothing, ...request }
  return resourceOf(rule, whole, whole)
}

function idOf(id: ResourceRule['id'], request: Partial<Request>): string | undefined {
  return resourceIn({ kind: 'kafka-cluster', id }, request)?.id
}

describe('the resource of an operation', () => {
  test('is told from the path, decoded once', () => {
    const id = { path: 'cluster_id' }
    expect(idOf(id, { params: { cluster_id: 'lkc-1' } })).toBe('lkc-1')
    expect(idOf(id, { params: { cluster_id: 'a%2Fb%2525' } })).toBe('a/b%25')
    expect(idOf(id, { params: { other: 'lkc-1' } })).toBe(undefined)
    expect(idOf(id, { params: { cluster_id: '%FF' } })).toBe('%FF')
  })

  test('is told from the query, decoded once', () => {
    const id = { query: 'cluster id' }
    expect(idOf(id, { query: '?a=b&cluster+id=l%2Bk+c' })).toBe('l+k c')
    expect(idOf(id, { query: 'cluster%20id=x' })).toBe('x')
    expect(idOf(id, { query: '?cluster%20id=' })).toBe(undefined)
    expect(idOf(id, { query: '' })).toBe(undefined)
  })

  test('is told from a header field', () => {
    const header = (name: string) => (name === 'x-cluster' ? ' lkc-1 ' : undefined)
    expect(idOf({ header: 'X-Cluster' }, { header })).toBe('lkc-1')
    expect(idOf({ header: 'X-Other' }, { header })).toBe(undefined)
  })

  test('is told from the host', () => {
    expect(idOf({ host: 'cluster' }, { hostParams: { cluster: 'lkc-1' } })).toBe('lkc-1')
  })

  test('is none where a value is given twice', () => {
    expect(idOf({ query: 'c' }, { query: '?c=1&c=2' })).toBe(undefined)
    expect(idOf({ query: 'c' }, { query: '?c=&c=2' })).toBe(undefined)
    const rule = { kind: 'flink', id: { path: 'o' }, environment: { query: 'e' } }
    expect(resourceIn(rule, { params: { o: '1' }, query: '?e=1&e=1' })).toBe(undefined)
  })

  test('has an environment where the rule tells one and the request has it', () => {
    const rule = { kind: 'flink', id: { path: 'o' }, environment: { query: 'e' } }
    const params = { o: '1' }
    expect(resourceIn(rule, { params, query: '?e=env-1' })).toEqual({
      kind: 'flink',
      id: '1',
      environment: 'env-1',
    })
    expect(resourceIn(rule, { params })).toMatchObject({ environment: undefined })
  })

  test('is none without a rule', () => {
    expect(resourceIn(undefined, {})).toBe(undefined)
  })
})

describe('a rule', () => {
  const document = documentWith({ '/clusters/{cluster_id}': ['get'], '/about': ['get'] })

  test('leaves operations without its parameter without a resource', async () => {
    const resource = { kind: 'kafka-cluster', id: { path: 'cluster_id' } }
    const { catalog } = await compileGroups({ resource, document })
    const resources = ['/clusters/lkc-1', '/about'].map((path) => {
      const match = catalog.match('h', 'GET', path)
      return match.kind === 'found' && resourceOf(resource, match, nothing)?.id
    })
    expect(resources).toEqual(['lkc-1', undefined])
  })

  test('that names a parameter which nothing has is a problem', async () => {
    const hosts = ['{cluster}.example.com']
    const id = { path: 'id' }
    const environment = { host: 'env' }
    const resource = { kind: 'kafka-cluster', id, environment }
    expect(await problemsOf({ name: 'g', hosts, resource, document })).toEqual([
      'group "g": its resource rule names {id}, which no path of the group has',
      'group "g": its resource rule names {env}, which no host of the group has',
    ])
  })

  test('that names a parameter which one path has twice is a problem', async () => {
    const resource = { kind: 'k', id: { path: 'id' } }
    expect(
      await problemsOf({
        name: 'g',
        resource,
        document: documentWith({ '/a/{id}/b/{id}': ['get'] }),
      }),
    ).toEqual(['group "g": its resource rule names {id}, which stands in one path twice'])
  })

  test('that is missing where resource API keys are accepted is warned of', async () => {
    const guarded = { ...document, security: [{ key: [] }], components: { securitySchemes } }
    const schemes = { key: 'resource-api-key' } as const
    const { warnings } = await compileGroups({ name: 'g', document: guarded, schemes })
    expect(warnings).toEqual([
      'group "g": its operations accept resource API keys, but "resource" does not say which resource they act on, so none of these keys opens them',
    ])
    const resource = { kind: 'k', id: { path: 'cluster_id' } }
    const ruled = await compileGroups({ name: 'g', document: guarded, schemes, resource })
    expect(ruled.warnings).toEqual([])
  })
})

const securitySchemes = { key: { type: 'http', scheme: 'basic' } }
