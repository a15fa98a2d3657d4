import { describe, expect, test } from 'vitest'
import { compileGroups, documentWith, found, problemsOf } from './compile-groups.ts'

function group(
  name: string,
  paths: readonly string[],
  hosts: readonly string[] = [],
  method = 'get',
) {
  const document = documentWith(Object.fromEntries(paths.map((path) => [path, [method]])))
  return { name, hosts, document }
}

describe('two groups under the same host', () => {
  test('with one shape and method are a problem that names both', async () => {
    expect(await problemsOf(group('a', ['/users/{id}']), group('b', ['/users/{user}']))).toEqual([
      'GET /users/{id} of group "a" and GET /users/{user} of group "b" overlap under the same host, and neither is more specific',
    ])
  })

  test('are compared by what is served, mount and base path included', async () => {
    const a = { ...group('a', ['/users']), mount: '/x' }
    const b = { ...group('b', ['/x/users']) }
    expect(await problemsOf(a, b)).toHaveLength(1)
    expect(await problemsOf(a, { ...b, basePath: '/y' })).toEqual([])
  })

  test('where neither template is more specific are a problem', async () => {
    expect(await problemsOf(group('a', ['/a/{x}']), group('b', ['/{y}/b']))).toHaveLength(1)
    expect(await problemsOf(group('a', ['/v{x}']), group('b', ['/{y}.json']))).toHaveLength(1)
  })

  test('where one is more specific throughout are a warning, and it wins', async () => {
    const { catalog, warnings } = await compileGroups(
      group('a', ['/users/{id}', '/users/{id}/keys']),
      group('b', ['/users/me', '/users/me/keys']),
    )
    expect(warnings).toEqual([
      'group "b" answers before group "a" where they overlap: GET /users/me before /users/{id} (and 1 more)',
    ])
    expect(found(catalog, 'GET', '/users/me')).toBe('/users/me')
    expect(found(catalog, 'GET', '/users/u')).toBe('/users/{id} id=u')
  })

  test('share a path where their methods differ, and Allow has the methods of both', async () => {
    const { catalog, warnings } = await compileGroups(
      group('a', ['/users/{id}']),
      group('b', ['/users/{user}'], [], 'put'),
    )
    expect(warnings).toEqual([])
    expect(found(catalog, 'GET', '/users/u')).toBe('/users/{id} id=u')
    expect(found(catalog, 'PUT', '/users/u')).toBe('/users/{user} user=u')
    expect(found(catalog, 'POST', '/users/u')).toBe('allow GET, HEAD, PUT')
  })

  test('whose texts around parameters exclude each other are none', async () => {
    expect(await problemsOf(group('a', ['/{x}.yaml']), group('b', ['/{x}.json']))).toEqual([])
    expect(await problemsOf(group('a', ['/a{x}']), group('b', ['/b{x}']))).toEqual([])
  })
})

describe('two groups under different hosts', () => {
  test('do not overlap', async () => {
    expect(await problemsOf(group('a', ['/x'], ['a.com']), group('b', ['/x'], ['b.com']))).toEqual(
      [],
    )
    expect(
      await problemsOf(group('a', ['/x'], ['{c}.a.com']), group('b', ['/x'], ['{c}.b.com'])),
    ).toEqual([])
  })

  test('overlap where one of several hosts is the same', async () => {
    const problems = problemsOf(
      group('a', ['/x'], ['a.com', 'b.com']),
      group('b', ['/x'], ['b.com']),
    )
    expect(await problems).toHaveLength(1)
    expect(
      await problemsOf(group('a', ['/x'], ['{c}.com']), group('b', ['/x'], ['{d}.com'])),
    ).toHaveLength(1)
  })

  test('where one host is more specific are a warning, and it wins', async () => {
    for (const [narrow, wide] of [
      ['a.com', undefined],
      ['{x}.com', undefined],
      ['a.com', '{x}.com'],
    ] as const) {
      const { catalog, warnings } = await compileGroups(
        group('a', ['/{any}'], wide === undefined ? [] : [wide]),
        group('b', ['/{own}', '/x'], [narrow]),
      )
      expect(warnings).toEqual([
        'group "b" answers before group "a" where they overlap: GET /x before /{any} (and 1 more)',
      ])
      expect(found(catalog, 'GET', '/y', 'a.com')).toBe('/{own} own=y')
    }
  })

  test('that cross are a problem', async () => {
    const problems = await problemsOf(
      group('a', ['/x'], ['{a}.b.com']),
      group('b', ['/{y}'], ['a.{b}.com']),
    )
    expect(problems).toHaveLength(1)
  })
})
