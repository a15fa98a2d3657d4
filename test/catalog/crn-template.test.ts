import { describe, expect, test } from 'vitest'
import { crnElementsOf } from '../../src/catalog/crn-template.ts'
import { compileGroups, problemsOf } from './compile-groups.ts'

const query = (name: string) => ({ name, in: 'query', schema: { type: 'string' } })

function documentOf(operation: object, pathItem: object = {}): object {
  const paths = { '/envs/{env}/accounts/{id}': { ...pathItem, get: operation } }
  return { openapi: '3.1.0', paths }
}

/** What a request acts on, as `kind=id` in a line. */
async function placeOf(
  operation: object,
  target = '/envs/env-1/accounts/sa-1',
  { pathItem = {}, crn }: { readonly pathItem?: object; readonly crn?: string } = {},
): Promise<string> {
  const document = documentOf(operation, pathItem)
  const { catalog } = await compileGroups({ name: 'g', document, crn })
  const [path = '', search = ''] = target.split('?')
  const match = catalog.match('api.example.com', 'GET', path)
  if (match.kind !== 'found') throw new Error(`${target} is ${match.kind}`)
  const elements = crnElementsOf(match.operation.crn, match.params, search)
  return elements.map(({ kind, id }) => `${kind}=${id}`).join('/')
}

const declared = { 'x-gatehouse-crn': 'environment={env}/service-account={id}' }

describe('what an operation acts on', () => {
  test('is told by its path, each value decoded once', async () => {
    expect(await placeOf(declared)).toBe('environment=env-1/service-account=sa-1')
    expect(await placeOf(declared, '/envs/a%2Fb/accounts/%252A')).toBe(
      'environment=a/b/service-account=%2A',
    )
    expect(await placeOf(declared, '/envs/%FF/accounts/x')).toBe(
      'environment=%FF/service-account=x',
    )
  })

  test('is the organization itself where nothing is said', async () => {
    expect(await placeOf({})).toBe('')
    expect(await placeOf({ 'x-gatehouse-crn': '' })).toBe('')
  })

  test('may be a text, and is the operation’s before the path’s before the group’s', async () => {
    const pathItem = { 'x-gatehouse-crn': 'environment={env}' }
    const crn = 'network=n-1'
    expect(await placeOf({}, undefined, { crn })).toBe('network=n-1')
    expect(await placeOf({}, undefined, { crn, pathItem })).toBe('environment=env-1')
    expect(await placeOf(declared, undefined, { crn, pathItem })).toBe(
      'environment=env-1/service-account=sa-1',
    )
  })

  test('ends, where the group says it for all, before a parameter that it has not', async () => {
    const crn = 'environment={env}/cloud-cluster={cluster}/topic={id}'
    expect(await placeOf({}, undefined, { crn })).toBe('environment=env-1')
  })
})

describe('a parameter of the query', () => {
  const operation = {
    parameters: [query('environment'), query('owner')],
    'x-gatehouse-crn': 'environment={environment}/user={owner}',
  }
  const at = (search: string): Promise<string> => placeOf(operation, `/envs/e/accounts/a?${search}`)

  test('tells one resource, or else what is around it', async () => {
    expect(await at('environment=env-1&owner=u-1')).toBe('environment=env-1/user=u-1')
    expect(await at('environment=env-1')).toBe('environment=env-1')
    expect(await at('owner=u-1')).toBe('')
    expect(await at('environment=&owner=u-1')).toBe('')
    expect(await at('')).toBe('')
  })

  test('that could be read as two never stands for one of them', async () => {
    expect(await at('environment=env-1&environment=env-2')).toBe('')
    expect(await at('environment=env-1,env-2')).toBe('')
    expect(await at('environment=env-1%2Cenv-2')).toBe('')
    expect(await at('environment=env-1&owner=u-1&environment=env-1')).toBe('')
  })
})

describe('a template that cannot be meant is a problem of its operation', () => {
  test.each([
    'environment',
    'environment={env',
    'environment={}',
    'Environment={env}',
    'environment=*',
    '/environment={env}',
    'environment={env}/',
    'crn://confluent.cloud/organization=1',
    5,
    {},
  ])('%j', async (template) => {
    const document = documentOf({ 'x-gatehouse-crn': template })
    expect(await problemsOf({ name: 'g', document })).toEqual([
      'group "g": GET /envs/{env}/accounts/{id}: what it acts on (x-gatehouse-crn, or crn of the group) is not of the form kind={parameter}/kind=id',
    ])
  })

  test('where it names what is in neither path nor query', async () => {
    const parameters = [{ name: 'env2', in: 'header', schema: {} }]
    const document = documentOf({ parameters, 'x-gatehouse-crn': 'environment={env2}' })
    expect(await problemsOf({ name: 'g', document })).toEqual([
      'group "g": GET /envs/{env}/accounts/{id}: its x-gatehouse-crn names a parameter that is in neither path nor query',
    ])
  })
})
