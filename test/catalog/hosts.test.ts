import { describe, expect, test } from 'vitest'
import { compileGroups, documentWith, found, problemsOf } from './compile-groups.ts'

test('groups at the root are told apart by their hosts', async () => {
  const { catalog } = await compileGroups(
    {
      hosts: ['psrc.example.com'],
      document: documentWith({ '/subjects': ['get'], '/{x}': ['put'] }),
    },
    { hosts: ['metrics.example.com'], document: documentWith({ '/{dataset}': ['get'] }) },
  )
  expect(found(catalog, 'GET', '/subjects', 'psrc.example.com')).toBe('/subjects')
  expect(found(catalog, 'GET', '/subjects', 'metrics.example.com')).toBe(
    '/{dataset} dataset=subjects',
  )
  expect(found(catalog, 'GET', '/subjects', 'other.example.com')).toBe('host-unknown')
})

test('an exact host comes before a pattern, a pattern before any host', async () => {
  const { catalog } = await compileGroups(
    { document: documentWith({ '/a': ['get'], '/any': ['get'] }) },
    { hosts: ['{x}.example.com'], document: documentWith({ '/{b}': ['get'], '/p': ['get'] }) },
    { hosts: ['{x}.{y}.com'], document: documentWith({ '/{c}': ['get', 'put'] }) },
    { hosts: ['a.example.com'], document: documentWith({ '/{d}': ['get'] }) },
  )
  expect(found(catalog, 'GET', '/a', 'a.example.com')).toBe('/{d} d=a')
  expect(found(catalog, 'GET', '/a', 'b.example.com')).toBe('/{b} b=a')
  expect(found(catalog, 'GET', '/p', 'b.example.com')).toBe('/p')
  expect(found(catalog, 'GET', '/a', 'b.other.com')).toBe('/{c} c=a')
  expect(found(catalog, 'PUT', '/a', 'a.example.com')).toBe('/{c} c=a')
  expect(found(catalog, 'GET', '/a', 'localhost')).toBe('/a')
  expect(found(catalog, 'POST', '/a', 'a.example.com')).toBe('allow GET, HEAD, PUT')
})

test('the parameters of a host have the names that the group gave them', async () => {
  const { catalog } = await compileGroups(
    {
      hosts: ['{cluster_id}.kafka.{region}.example.com'],
      document: documentWith({ '/k': ['get'] }),
    },
    {
      hosts: ['{lkc}.kafka.{r}.example.com', 'fixed.example.com'],
      document: documentWith({ '/l': ['get'] }),
    },
  )
  const hostParams = (host: string, path: string) => {
    const match = catalog.match(host, 'GET', path)
    return match.kind === 'found' ? { ...match.hostParams } : match.kind
  }
  const host = 'lkc-1.kafka.eu.example.com'
  expect(hostParams(host, '/k')).toEqual({ cluster_id: 'lkc-1', region: 'eu' })
  expect(hostParams(host, '/l')).toEqual({ lkc: 'lkc-1', r: 'eu' })
  expect(hostParams('fixed.example.com', '/l')).toEqual({})
  expect(hostParams('a.b.kafka.eu.example.com', '/k')).toBe('host-unknown')
})

test('a host is an address, too', async () => {
  const { catalog } = await compileGroups({
    hosts: ['127.0.0.1', '[::1]', '[::ffff:127.0.0.1]'],
    document: documentWith({ '/a': ['get'] }),
  })
  for (const host of ['127.0.0.1', '[::1]', '[::ffff:127.0.0.1]']) {
    expect(found(catalog, 'GET', '/a', host)).toBe('/a')
  }
  expect(found(catalog, 'GET', '/a', '127.0.0.2')).toBe('host-unknown')
})

test('hosts that nobody has do not slow down or forget those in use', async () => {
  const { catalog } = await compileGroups({
    hosts: ['{x}.example.com'],
    document: documentWith({ '/a': ['get'] }),
  })
  for (let index = 0; index < 3000; index += 1) {
    expect(found(catalog, 'GET', '/a', `${index}.other.com`)).toBe('host-unknown')
  }
  expect(found(catalog, 'GET', '/a', 'x.example.com')).toBe('/a')
})

test('a host that is none is a problem', async () => {
  const document = documentWith({ '/a': ['get'] })
  expect(await problemsOf({ name: 'g', hosts: ['a/b', '{x', '{a.b}.c'], document })).toEqual([
    'group "g": "a/b" is not a host name; {name} stands for one whole label',
    'group "g": "{x" is not a host name; {name} stands for one whole label',
    'group "g": "{a.b}.c" is not a host name; {name} stands for one whole label',
  ])
})

describe('a path that no operation has', () => {
  const kafka = documentWith({ '/kafka/v3/clusters/{id}': ['get'], '/kafka/v3/about': ['get'] })
  const iam = documentWith({ '/iam/v2/users': ['get'] })
  const keys = documentWith({ '/iam/v2/api-keys/{id}': ['get'] })
  const root = documentWith({ '/subjects/{s}': ['get'] })

  test('is of the group with the longest literal prefix', async () => {
    const { catalog } = await compileGroups(
      { name: 'kafka', document: kafka },
      { name: 'iam', document: iam },
      { name: 'keys', document: keys },
      { name: 'root', document: root, hosts: ['psrc.example.com'] },
    )
    const nearest = (path: string, host = 'api.example.com') => {
      const match = catalog.match(host, 'GET', path)
      return match.kind === 'not-found' ? match.group?.name : match.kind
    }
    expect(nearest('/kafka/v3/clusters/a/b')).toBe('kafka')
    expect(nearest('/kafka')).toBe('kafka')
    expect(nearest('/kafkas')).toBe(undefined)
    expect(nearest('/iam/v2/api-keys')).toBe('keys')
    expect(nearest('/iam/v3')).toBe('iam')
    expect(nearest('/')).toBe(undefined)
    expect(nearest('/nowhere', 'psrc.example.com')).toBe('root')
    expect(nearest('/iam/nowhere', 'psrc.example.com')).toBe('iam')
  })

  test('is of the first of the groups that a host was given to', async () => {
    const { catalog } = await compileGroups(
      { name: 'kafka', document: kafka, hosts: ['pkc.example.com'] },
      { name: 'root', document: root, hosts: ['pkc.example.com'] },
      { name: 'iam', document: iam },
    )
    expect(catalog.match('pkc.example.com', 'GET', '/nowhere')).toMatchObject({
      kind: 'not-found',
      group: { name: 'kafka' },
    })
  })

  test('is of the only group there is', async () => {
    const { catalog } = await compileGroups({ name: 'kafka', document: kafka })
    expect(catalog.match('h', 'GET', '/x')).toMatchObject({
      kind: 'not-found',
      group: { name: 'kafka' },
    })
  })
})
