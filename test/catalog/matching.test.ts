import { describe, expect, test } from 'vitest'
import { compileGroups, documentWith, found, problemsOf } from './compile-groups.ts'

async function catalogOf(paths: Readonly<Record<string, readonly string[]>>) {
  return (await compileGroups({ document: documentWith(paths) })).catalog
}

describe('a path', () => {
  test('with a colon is a literal one', async () => {
    const catalog = await catalogOf({
      '/clusters/{cluster_id}/acls': ['get'],
      '/clusters/{cluster_id}/acls:batch': ['post'],
      '/:first': ['get'],
      '/links/{link}/mirrors:promote': ['post'],
      '/links/{link}/mirrors:failover': ['post'],
    })
    expect(found(catalog, 'POST', '/clusters/a/acls:batch')).toBe(
      '/clusters/{cluster_id}/acls:batch cluster_id=a',
    )
    expect(found(catalog, 'POST', '/clusters/a/acls:other')).toBe('not-found')
    expect(found(catalog, 'POST', '/clusters/a/acls')).toBe('allow GET, HEAD')
    expect(found(catalog, 'POST', '/clusters/a/aclsX')).toBe('not-found')
    expect(found(catalog, 'GET', '/:first')).toBe('/:first')
    expect(found(catalog, 'GET', '/first')).toBe('not-found')
    expect(found(catalog, 'GET', '/:other')).toBe('not-found')
    expect(found(catalog, 'POST', '/links/a:b/mirrors:failover')).toBe(
      '/links/{link}/mirrors:failover link=a:b',
    )
  })

  test('with a parameter before a colon leaves the colon out of the value', async () => {
    const catalog = await catalogOf({
      '/switchovers/{id}:failover': ['post'],
      '/switchovers/{id}': ['post'],
    })
    expect(found(catalog, 'POST', '/switchovers/s-1:failover')).toBe(
      '/switchovers/{id}:failover id=s-1',
    )
    expect(found(catalog, 'POST', '/switchovers/s:1:failover')).toBe(
      '/switchovers/{id}:failover id=s:1',
    )
    expect(found(catalog, 'POST', '/switchovers/s-1:fail')).toBe('/switchovers/{id} id=s-1:fail')
    expect(found(catalog, 'POST', '/switchovers/:failover')).toBe('/switchovers/{id} id=:failover')
  })

  test('with an encoded delimiter is refused where a service might read another operation', async () => {
    const catalog = await catalogOf({
      '/links/{id}': ['post'],
      '/links/{id}:failover': ['post'],
      '/subjects/{subject}': ['get'],
      '/a%3Ab': ['get'],
    })
    expect(found(catalog, 'POST', '/links/a%3Afailover')).toBe('not-found')
    expect(found(catalog, 'POST', '/links/a%3Afail%2Fover')).toBe('/links/{id} id=a%3Afail%2Fover')
    expect(found(catalog, 'GET', '/subjects/%3A.context%3Atopic')).toBe(
      '/subjects/{subject} subject=%3A.context%3Atopic',
    )
    expect(found(catalog, 'GET', '/a%3Ab')).toBe('/a%3Ab')
  })

  test('keeps an encoded slash within its segment, and the value encoded', async () => {
    const catalog = await catalogOf({ '/subjects/{subject}/versions': ['get'] })
    expect(found(catalog, 'GET', '/subjects/my%2Ftopic-value/versions')).toBe(
      '/subjects/{subject}/versions subject=my%2Ftopic-value',
    )
    expect(found(catalog, 'GET', '/subjects/my/topic-value/versions')).toBe('not-found')
  })

  test('has parameters of any name', async () => {
    const catalog = await catalogOf({
      '/{organization.id}/{config-name}/{$filter}/{__proto__}/{}': ['get'],
    })
    const match = catalog.match('h', 'GET', '/o/c/f/p/e')
    expect(match.kind === 'found' && Object.entries(match.params)).toEqual([
      ['organization.id', 'o'],
      ['config-name', 'c'],
      ['$filter', 'f'],
      ['__proto__', 'p'],
      ['', 'e'],
    ])
  })

  test('gives no parameters but its own', async () => {
    const catalog = await catalogOf({ '/{id}': ['get'] })
    const match = catalog.match('h', 'GET', '/x')
    expect(match.kind === 'found' && match.params['constructor']).toBe(undefined)
  })

  test('takes characters literally that mean something to routers and regular expressions', async () => {
    const paths = [
      '/*',
      '/a*',
      '/a.b',
      '/a$',
      '/(a)',
      '/a+',
      '/[a]',
      '/a|b',
      '/^',
      '/@1',
      '/a,b;c=1',
    ]
    const catalog = await catalogOf(Object.fromEntries(paths.map((path) => [path, ['get']])))
    for (const path of ['/*', '/a*', '/a.b', '/a$', '/(a)', '/a+', '/@1', '/a,b;c=1']) {
      expect(found(catalog, 'GET', path)).toBe(path)
    }
    expect(found(catalog, 'GET', '/%5Ba%5D')).toBe('/[a]')
    expect(found(catalog, 'GET', '/a%7Cb')).toBe('/a|b')
    expect(found(catalog, 'GET', '/%5E')).toBe('/^')
    for (const path of ['/x', '/ab', '/aXb', '/a', '/aa', '/', '/a*/b', '/b']) {
      expect(found(catalog, 'GET', path), path).toBe('not-found')
    }
  })

  test('takes the same characters literally beside parameters', async () => {
    const catalog = await catalogOf({
      '/{x}/*': ['get'],
      '/{x}/:y': ['get'],
      '/{x}/a?': ['get'],
      '/files/{name}.json': ['get'],
      '/files/{name}.$': ['get'],
      '/api/v{major}/x': ['get'],
      '/api/v{major}.{minor}/x': ['get'],
    })
    expect(found(catalog, 'GET', '/1/*')).toBe('/{x}/* x=1')
    expect(found(catalog, 'GET', '/1/2')).toBe('not-found')
    expect(found(catalog, 'GET', '/1/:y')).toBe('/{x}/:y x=1')
    expect(found(catalog, 'GET', '/files/my.file.json')).toBe('/files/{name}.json name=my.file')
    expect(found(catalog, 'GET', '/files/myXjson')).toBe('not-found')
    expect(found(catalog, 'GET', '/files/a.$')).toBe('/files/{name}.$ name=a')
    expect(found(catalog, 'GET', '/files/.json')).toBe('not-found')
    expect(found(catalog, 'GET', '/api/v2/x')).toBe('/api/v{major}/x major=2')
    expect(found(catalog, 'GET', '/api/v2.1/x')).toBe('/api/v{major}.{minor}/x major=2 minor=1')
    expect(found(catalog, 'GET', '/api/v/x')).toBe('not-found')
  })

  test('is compared with the canonical form of what the document writes', async () => {
    const catalog = await catalogOf({ '/caf%c3%a9/%7Euser/über uns/100%': ['get'] })
    expect(found(catalog, 'GET', '/caf%C3%A9/~user/%C3%BCber%20uns/100%25')).toBe(
      '/caf%c3%a9/%7Euser/über uns/100%',
    )
  })

  test('is another one with a slash at its end', async () => {
    const catalog = await catalogOf({ '/a': ['get'], '/b/': ['get'], '/c/{x}': ['get'] })
    expect(found(catalog, 'GET', '/a/')).toBe('not-found')
    expect(found(catalog, 'GET', '/b')).toBe('not-found')
    expect(found(catalog, 'GET', '/b/')).toBe('/b/')
    expect(found(catalog, 'GET', '/c/x/')).toBe('not-found')
  })

  test('is case-sensitive', async () => {
    const catalog = await catalogOf({ '/Users/{id}': ['get'] })
    expect(found(catalog, 'GET', '/users/1')).toBe('not-found')
  })

  test('does not match with an empty value', async () => {
    const catalog = await catalogOf({ '/a/{x}': ['get'], '/a/{x}/b': ['get'], '/{y}': ['get'] })
    expect(found(catalog, 'GET', '/a/')).toBe('not-found')
    expect(found(catalog, 'GET', '/a//b')).toBe('not-found')
    expect(found(catalog, 'GET', '/')).toBe('not-found')
  })

  test('at the root is served', async () => {
    const catalog = await catalogOf({ '/': ['get'] })
    expect(found(catalog, 'GET', '/')).toBe('/')
  })

  test('cannot be mistaken for the pattern of a parameter', async () => {
    const catalog = await catalogOf({ '/a/{x}/b/{y}': ['get'] })
    expect(found(catalog, 'GET', '/a/:x/b/:y')).toBe('/a/{x}/b/{y} x=:x y=:y')
    expect(found(catalog, 'GET', '/a/*/b/*')).toBe('/a/{x}/b/{y} x=* y=*')
  })
})

describe('of several templates', () => {
  test('the literal one wins, whatever the order', async () => {
    for (const paths of [
      ['/topics/-/configs', '/topics/{name}/configs'],
      ['/topics/{name}/configs', '/topics/-/configs'],
    ]) {
      const catalog = await catalogOf(Object.fromEntries(paths.map((path) => [path, ['get']])))
      expect(found(catalog, 'GET', '/topics/-/configs')).toBe('/topics/-/configs')
      expect(found(catalog, 'GET', '/topics/t/configs')).toBe('/topics/{name}/configs name=t')
    }
  })

  test('the most specific from the left wins', async () => {
    const catalog = await catalogOf({ '/a/{x}/c': ['get'], '/a/b/{y}': ['get'] })
    expect(found(catalog, 'GET', '/a/b/c')).toBe('/a/b/{y} y=c')
    expect(found(catalog, 'GET', '/a/x/c')).toBe('/a/{x}/c x=x')
  })

  test('one that fails deeper down does not hide another', async () => {
    const catalog = await catalogOf({
      '/a/b/c': ['get'],
      '/a/{x}/d': ['get'],
      '/{y}/b/e': ['get'],
      '/{y}.json/b/{z}': ['get'],
    })
    expect(found(catalog, 'GET', '/a/b/d')).toBe('/a/{x}/d x=b')
    expect(found(catalog, 'GET', '/a/b/e')).toBe('/{y}/b/e y=a')
    expect(found(catalog, 'GET', '/q.json/b/e')).toBe('/{y}.json/b/{z} y=q z=e')
  })

  test('text around a parameter wins over a parameter alone, more text over less', async () => {
    const catalog = await catalogOf({
      '/{id}': ['get'],
      '/{id}.json': ['get'],
      '/{id}.schema.json': ['get'],
      '/v{id}.json': ['get'],
    })
    expect(found(catalog, 'GET', '/a')).toBe('/{id} id=a')
    expect(found(catalog, 'GET', '/a.json')).toBe('/{id}.json id=a')
    expect(found(catalog, 'GET', '/a.schema.json')).toBe('/{id}.schema.json id=a')
    expect(found(catalog, 'GET', '/v1.json')).toBe('/v{id}.json id=1')
  })

  test('a method is looked for in all that match', async () => {
    const catalog = await catalogOf({ '/users/me': ['get'], '/users/{id}': ['get', 'delete'] })
    expect(found(catalog, 'DELETE', '/users/me')).toBe('/users/{id} id=me')
    expect(found(catalog, 'PUT', '/users/me')).toBe('allow DELETE, GET, HEAD')
  })

  test('those that differ in the names of parameters alone share their methods', async () => {
    const catalog = await catalogOf({ '/users/{id}': ['get'], '/users/{user_id}': ['put'] })
    expect(found(catalog, 'GET', '/users/1')).toBe('/users/{id} id=1')
    expect(found(catalog, 'PUT', '/users/1')).toBe('/users/{user_id} user_id=1')
    expect(found(catalog, 'POST', '/users/1')).toBe('allow GET, HEAD, PUT')
  })

  test('two with one shape and method are a problem that names both', async () => {
    const document = documentWith({ '/users/{id}': ['get'], '/users/{user_id}': ['get'] })
    expect(await problemsOf({ name: 'iam/v2', document })).toEqual([
      'group "iam/v2": GET /users/{user_id}: /users/{id} in the same document has the same shape',
    ])
  })
})

describe('a method', () => {
  test('HEAD goes to GET unless it is declared', async () => {
    const catalog = await catalogOf({ '/a': ['get'], '/b': ['get', 'head'], '/c': ['post'] })
    const methods = ['/a', '/b'].map((path) => {
      const match = catalog.match('h', 'HEAD', path)
      return match.kind === 'found' && match.operation.method
    })
    expect(methods).toEqual(['GET', 'HEAD'])
    expect(found(catalog, 'HEAD', '/c')).toBe('allow POST')
  })

  test('OPTIONS and TRACE exist only where they are declared', async () => {
    const catalog = await catalogOf({ '/a': ['get'], '/b': ['options', 'trace'] })
    expect(found(catalog, 'OPTIONS', '/a')).toBe('allow GET, HEAD')
    expect(found(catalog, 'TRACE', '/a')).toBe('allow GET, HEAD')
    expect(found(catalog, 'OPTIONS', '/b')).toBe('/b')
    expect(found(catalog, 'TRACE', '/b')).toBe('/b')
  })

  test('QUERY and additional ones exist since OpenAPI 3.2, in their own case', async () => {
    const paths = { '/a': { query: {}, additionalOperations: { COPY: {}, link: {} } } }
    const { catalog } = await compileGroups({ document: { openapi: '3.2.0', paths } })
    for (const method of ['QUERY', 'COPY', 'link']) expect(found(catalog, method, '/a')).toBe('/a')
    expect(found(catalog, 'LINK', '/a')).toBe('allow COPY, QUERY, link')
    const earlier = await compileGroups({ document: { openapi: '3.1.0', paths } })
    expect(earlier.catalog.operations).toEqual([])
  })

  test('webhooks are no operations', async () => {
    const { catalog, warnings } = await compileGroups({
      document: { openapi: '3.1.0', webhooks: { created: { post: {} } } },
    })
    expect(catalog.operations).toEqual([])
    expect(warnings).toEqual(['group "group-0": its document declares no operations'])
  })
})

describe('a path with a query string, as some documents have it', () => {
  test('is served as the path without it', async () => {
    const { catalog, warnings } = await compileGroups({
      document: documentWith({ '/c?expand=info': ['get'], '/c': ['get'], '/d?a=b': ['get'] }),
    })
    expect(found(catalog, 'GET', '/c')).toBe('/c')
    expect(found(catalog, 'GET', '/d')).toBe('/d')
    expect(catalog.operations).toHaveLength(2)
    expect(warnings).toEqual([
      'group "group-0": GET /c?expand=info: it is served as /c, since the query tells no operations apart',
    ])
  })

  test('is a problem where something else opens it', async () => {
    const problems = await problemsOf({
      schemes: { key: 'cloud-api-key' },
      document: {
        openapi: '3.0.3',
        paths: { '/c?open': { get: { security: [] } }, '/c': { get: { security: [{ key: [] }] } } },
      },
    })
    expect(problems).toEqual([
      'group "group-0": GET /c?open: /c differs from it in the query alone, but not in what opens it',
    ])
  })
})

test('a path that cannot be understood is left out with a warning', async () => {
  const { catalog, warnings } = await compileGroups({
    document: documentWith({
      '/{name=projects/*}/x': ['get'],
      '/{open': ['get'],
      '/a/../b': ['get'],
    }),
  })
  expect(catalog.operations.map(({ path }) => path)).toEqual(['/a/../b'])
  expect(warnings).toEqual([
    'group "group-0": GET /{name=projects/*}/x: it is not served: its path cannot be understood',
    'group "group-0": GET /{open: it is not served: its path cannot be understood',
    'group "group-0": GET /a/../b: no request reaches it: its path has an empty segment or a dot segment',
  ])
})

test('a long segment against several parameters takes no longer than its length', async () => {
  const catalog = await catalogOf({ '/{a}-{b}-{c}-{d}.json': ['get'] })
  expect(found(catalog, 'GET', `/${'-'.repeat(8000)}`)).toBe('not-found')
  expect(found(catalog, 'GET', '/1-2-3-4-5.json')).toBe('/{a}-{b}-{c}-{d}.json a=1 b=2 c=3 d=4-5')
})
