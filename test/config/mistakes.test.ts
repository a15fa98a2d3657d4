import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadConfiguration } from '../../src/config/load.ts'
import { configurationJsonSchema } from '../../src/config/json-schema.ts'
import { problemsOf, smallest } from './written.ts'

test('every mistake is told at once, in the order of the text, each with its place and path', async () => {
  const text = `listen:
  public: { port: 70000, prot: 1 }
redis: { url: 'http://redis' }
limits:
  classes:
    standard: { user: { requests: 5 } }
apiGroups:
  - name: a
    document: a.yaml
    upstream: { urls: [ftp://x] }
    limitClass: nope
  - name: a
    upstream: { urls: [] }
    limitClass: standard
surplus: 1
`
  const problems = await problemsOf(text)
  expect(problems.map((problem) => problem.split(' ').slice(0, 2).join(' '))).toEqual([
    'gateway.yaml:2:13 listen.public.port',
    'gateway.yaml:2:26 listen.public.prot',
    'gateway.yaml:3:10 redis.url',
    'gateway.yaml:6:17 limits.classes.standard.user',
    'gateway.yaml:10:24 apiGroups.0.upstream.urls.0',
    'gateway.yaml:11:5 apiGroups.0.limitClass',
    'gateway.yaml:12:5 apiGroups.1.document',
    'gateway.yaml:12:5 apiGroups.1.name',
    'gateway.yaml:13:17 apiGroups.1.upstream.urls',
    'gateway.yaml:15:1 surplus',
  ])
})

test('a problem says what it is about in words', async () => {
  const group = smallest.apiGroups[0]
  expect(await problemsOf({ ...smallest, apiGroups: [{ ...group, hosts: ['UPPER'] }] })).toEqual([
    'gateway.yaml:18:9 apiGroups.0.hosts.0 Must be a host name in lower case; {name} stands for one whole label',
  ])
})

test('a group has either an upstream or a service', async () => {
  const { upstream, ...rest } = { ...smallest.apiGroups[0] }
  for (const group of [rest, { ...rest, upstream, service: 'sts' }]) {
    const problems = await problemsOf({ ...smallest, apiGroups: [group] })
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatch(/ apiGroups\.0 Must have either an upstream or a service$/)
  }
})

describe('unknown keys are refused', () => {
  test('by every object that the schema knows', () => {
    const open: string[] = []
    const look = (value: unknown, path: string): void => {
      if (typeof value !== 'object' || value === null) return
      const { type, additionalProperties, propertyNames } = value as Record<string, unknown>
      const isClosed = additionalProperties === false || propertyNames !== undefined
      if (type === 'object' && !isClosed) open.push(path)
      for (const [key, each] of Object.entries(value)) look(each, `${path}/${key}`)
    }
    look(configurationJsonSchema(), '')
    expect(open).toEqual([])
  })

  const group = {
    ...smallest.apiGroups[0],
    resource: { kind: 'kafka-cluster', id: { path: 'cluster_id' } },
  }
  const full = {
    listen: { public: {}, admin: {} },
    transport: {},
    requests: {},
    directory: { cache: {}, pepper: { current: { id: '1', secret: '' } } },
    redis: {},
    limits: { unauthenticated: {}, classes: { standard: { user: {}, organization: {} } } },
    apiGroups: [group],
    shutdown: {},
    log: {},
    demo: { port: 0 },
  }
  const places = [
    [],
    ...[['listen'], ['listen', 'public'], ['listen', 'admin'], ['transport'], ['requests']],
    ...[['directory'], ['directory', 'cache'], ['directory', 'pepper']],
    ...[['directory', 'pepper', 'current'], ['redis'], ['limits'], ['limits', 'unauthenticated']],
    ...[
      ['limits', 'classes', 'standard'],
      ['limits', 'classes', 'standard', 'user'],
    ],
    ...[
      ['limits', 'classes', 'standard', 'organization'],
      ['apiGroups', '0'],
    ],
    ...[
      ['apiGroups', '0', 'upstream'],
      ['apiGroups', '0', 'resource'],
    ],
    ...[['shutdown'], ['log'], ['demo']],
  ]

  test.each(places.map((path) => [path.join('.'), path] as const))('at "%s"', async (_, path) => {
    const whole = structuredClone(full)
    const object = path.reduce<object>((parent, key) => Reflect.get(parent, key) as object, whole)
    Reflect.set(object, 'surplus', 1)
    expect(await problemsOf(full)).toEqual([])
    const place = [...path, 'surplus'].join('.')
    expect(await problemsOf(whole)).toEqual([
      expect.stringMatching(new RegExp(`^gateway\\.yaml:\\d+:\\d+ ${place} is not a known key$`)),
    ])
  })
})

test('an empty file, a list and a lone word are no configuration', async () => {
  for (const text of ['', '- 1', 'word', '# only a comment\n']) {
    const [problem, ...others] = await problemsOf(text)
    expect(problem).toMatch(/^gateway\.yaml:1:\d+ Invalid input: expected object/)
    expect(others).toEqual([])
  }
})

test('a file that is not there or no text is told in a line', async () => {
  await expect(loadConfiguration('/nonexistent/gateway.yaml', {})).rejects.toThrow(
    '/nonexistent/gateway.yaml:1:1 The file cannot be read: ENOENT',
  )
  await expect(
    loadConfiguration(resolve(import.meta.dirname, '../../package-lock.json/x'), {}),
  ).rejects.toThrow('The file cannot be read: ENOTDIR')
})
