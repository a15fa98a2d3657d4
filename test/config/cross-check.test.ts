import { describe, expect, test } from 'vitest'
import { problemsOf, smallest } from './written.ts'

const group = smallest.apiGroups[0]
const pepper = (id: string) => ({ id, secret: 'x'.repeat(32) })

/** What is said of a configuration, without the places. */
async function said(members: object): Promise<readonly string[]> {
  const problems = await problemsOf({ ...smallest, ...members })
  return problems.map((problem) => problem.replace(/^gateway\.yaml:\d+:\d+ /, ''))
}

test('a group names a limit class that exists', async () => {
  const limits = { classes: { standard: {}, small: {} } }
  expect(await said({ limits, apiGroups: [{ ...group, limitClass: 'Standard' }] })).toEqual([
    'apiGroups.0.limitClass Must be one of limits.classes: standard, small',
  ])
  expect(await said({ limits, apiGroups: [{ ...group, limitClass: 'toString' }] })).toHaveLength(1)
})

test('a class names quotas that exist, and no two of its rules have one name', async () => {
  const quotas = { calls: { scope: 'user', limit: 1, period: 'day' } }
  const rule = { name: 'writes', methods: ['POST'] }
  const standard = { quotas: ['calls', 'other'], operations: [rule, { name: 'reads' }, rule] }
  expect(await said({ limits: { quotas, classes: { standard } } })).toEqual([
    'limits.classes.standard.quotas.1 Must be one of limits.quotas: calls',
    'limits.classes.standard.operations.2.name The name is taken by an earlier rule',
  ])
})

test('a group counts by quotas of resources that exist, whose names no other quota has', async () => {
  const quotas = { calls: { scope: 'user', limit: 1, period: 'day' } }
  const resource = { scope: 'organization', limit: 1 }
  const limits = { quotas, countedResources: { calls: resource }, classes: { standard: {} } }
  const counts = [
    { quota: 'calls', creates: ['a'] },
    { quota: 'other', creates: ['a'] },
  ]
  expect(await said({ limits, apiGroups: [{ ...group, counts }] })).toEqual([
    'limits.countedResources.calls The name is taken by one of limits.quotas',
    'apiGroups.0.counts.1.quota Must be one of limits.countedResources: calls',
  ])
})

test('a token lease goes with nothing that would break it, and fits into its limit', async () => {
  const lease = { requests: 1_000, windowSeconds: 10, tokenLease: { share: 100 } }
  const at = 'limits.classes.standard.user.tokenLease'
  const of = (user: object, more: object = {}) =>
    said({ limits: { ...more, classes: { standard: { user } } } })
  expect(await of(lease)).toEqual([])
  expect(await of({ ...lease, window: 'sliding' })).toEqual([
    `${at} Does not go with a window that slides, of which no end is known`,
  ])
  expect(await of({ ...lease, concurrent: 5 })).toEqual([
    `${at} Does not go with concurrent, for slots are taken one by one`,
  ])
  expect(await of({ ...lease, mode: 'shadow' })).toEqual([
    `${at} Does not go with mode: shadow, which counts what passes one by one`,
  ])
  expect(await of({ tokenLease: { share: 1 }, concurrent: 5 })).toEqual([
    `${at} Needs requests and windowSeconds`,
    `${at} Does not go with concurrent, for slots are taken one by one`,
  ])
  expect(await of(lease, { replicas: 10 })).toEqual([])
  expect(await of(lease, { replicas: 11 })).toEqual([
    `${at} The share, 11 times (limits.replicas), must be within requests`,
  ])
})

test('a token lease holds what any operation of its class costs', async () => {
  const leased = { requests: 1_000, windowSeconds: 10, tokenLease: { share: 100 } }
  const of = (cost: number) => {
    const operations = [{ name: 'big', methods: ['POST'], cost, organization: leased }]
    return said({ limits: { classes: { standard: { user: leased, operations } } } })
  }
  expect(await of(100)).toEqual([])
  const message = 'The share must be 101 at least, which an operation of the class may cost'
  expect(await of(101)).toEqual([
    `limits.classes.standard.user.tokenLease ${message}`,
    `limits.classes.standard.operations.0.organization.tokenLease ${message}`,
  ])
})

test('a quota has no token lease', async () => {
  const calls = { scope: 'user', limit: 1_000, period: 'day', tokenLease: { share: 10 } }
  expect(await said({ limits: { quotas: { calls }, classes: { standard: {} } } })).toContain(
    'limits.quotas.calls.tokenLease Goes with requests and windowSeconds of a class, not with quotas',
  )
})

test('no two groups have one name', async () => {
  const apiGroups = [group, { ...group, mount: '/b' }, { ...group, name: 'other', mount: '/c' }]
  expect(await said({ apiGroups })).toEqual([
    'apiGroups.1.name The name is taken by an earlier group',
  ])
})

test('a resource that is told from the host stands in every host of the group', async () => {
  const resource = { kind: 'kafka-cluster', id: { host: 'cluster' } }
  const message = 'apiGroups.0.resource.id.host Every host of the group must hold {cluster}'
  expect(await said({ apiGroups: [{ ...group, resource }] })).toEqual([message])
  const some = { ...group, resource, hosts: ['{cluster}.api.test', 'api.test'] }
  expect(await said({ apiGroups: [some] })).toEqual([message])
  const every = { ...group, resource, hosts: ['{cluster}.a.test', 'b.{cluster}.test'] }
  expect(await said({ apiGroups: [every] })).toEqual([])
})

describe('peppers', () => {
  const url = 'postgresql://db'

  test('are required with a URL: every gateway makes the same digests', async () => {
    expect(await said({ directory: { url } })).toEqual([
      expect.stringMatching(/^directory\.url pepper is required with a url/),
    ])
    const current = { id: '1', secret: '' }
    expect(await said({ directory: { url, pepper: { current } } })).toEqual([
      expect.stringMatching(/^directory\.pepper pepper is required with a url/),
    ])
    expect(await said({ directory: { url, pepper: { current: pepper('1') } } })).toEqual([])
    expect(await said({ directory: { url: '', pepper: { current } } })).toEqual([])
  })

  test('have ids of their own', async () => {
    const peppers = { current: pepper('1'), previous: [pepper('2'), pepper('1')] }
    expect(await said({ directory: { pepper: peppers } })).toEqual([
      'directory.pepper Two peppers have the same id',
    ])
  })
})

describe('two listeners on one port', () => {
  test('are told, the defaults included', async () => {
    expect(await said({ listen: { public: { port: 9000 }, admin: { port: 9000 } } })).toEqual([
      'listen.admin.port listen.public listens on this port too',
    ])
    expect(await said({ listen: { public: { port: 8081 } } })).toHaveLength(1)
    expect(await said({ demo: { port: 8080 } })).toEqual([
      'demo.port listen.public listens on this port too',
    ])
  })

  test('collide where one is on every address', async () => {
    for (const host of ['0.0.0.0', '::']) {
      const listen = { public: { host, port: 9000 }, admin: { port: 9000 } }
      expect(await said({ listen })).toHaveLength(1)
    }
  })

  test('do not on two addresses, nor where a free port is picked', async () => {
    const apart = { public: { host: '127.0.0.1', port: 9000 }, admin: { host: '::1', port: 9000 } }
    expect(await said({ listen: apart })).toEqual([])
    expect(await said({ listen: { public: { port: 0 }, admin: { port: 0 } } })).toEqual([])
  })
})

test('they are told together with what the schema says', async () => {
  const broken = { name: 'demo/v1', limitClass: 'nope', upstream: 1, surplus: 1 }
  expect(await said({ apiGroups: [group, broken], log: 1 })).toEqual([
    expect.stringMatching(/^apiGroups\.1\.document /),
    expect.stringMatching(/^apiGroups\.1\.name /),
    expect.stringMatching(/^apiGroups\.1\.limitClass /),
    expect.stringMatching(/^apiGroups\.1\.upstream /),
    expect.stringMatching(/^apiGroups\.1\.surplus is not a known key/),
    expect.stringMatching(/^log /),
  ])
})

test.each([null, 1, 'text', [], [null], { classes: null }, { classes: [] }, { classes: 1 }])(
  'whatever stands in the place of a part (%j), it is a problem and no crash',
  async (value) => {
    for (const part of ['limits', 'apiGroups', 'directory', 'listen', 'demo', 'schemes']) {
      const problems = await said({ [part]: value })
      if (part !== 'schemes') expect(problems, part).not.toEqual([])
    }
  },
)

test('a key that is to sign for some days is published for less', async () => {
  const signingKeys = { rotateEveryDays: 1, publishAheadSeconds: 86_400 }
  expect(await said({ tokens: { signingKeys } })).toEqual([
    'tokens.signingKeys.publishAheadSeconds Must be less than rotateEveryDays',
  ])
  const never = { rotateEveryDays: 'never', publishAheadSeconds: 2_592_000 }
  expect(await said({ tokens: { signingKeys: never } })).toEqual([])
  expect(await said({ tokens: { signingKeys: { rotateEveryDays: 'often' } } })).toEqual([
    'tokens.signingKeys.rotateEveryDays Must be 1 to 3650, or never',
  ])
})

test('headers of the PROXY protocol are taken from somebody', async () => {
  const listen = { public: { proxyProtocol: true } }
  const message =
    'listen.public.proxyProtocol Needs transport.trustedProxies: no other peer may connect'
  expect(await said({ listen })).toEqual([message])
  expect(await said({ listen, transport: { trustedProxies: [] } })).toEqual([message])
  expect(await said({ listen, transport: { trustedProxies: ['10.0.0.0/8'] } })).toEqual([])
  expect(await said({ listen: { public: { proxyProtocol: false } } })).toEqual([])
})

test('a group upgrades to protocols that are not HTTP, and only where it has an upstream', async () => {
  const upgraded = (more: object) => said({ apiGroups: [{ ...group, ...more }] })
  expect(await upgraded({ upgrades: ['websocket'] })).toEqual([])
  expect(await upgraded({ upgrades: ['h2c', 'TLS/1.0', 'tls/1.2'] })).toHaveLength(3)
  const service = { upstream: undefined, service: 'iam', upgrades: ['websocket'] }
  expect(await upgraded(service)).toEqual([
    'apiGroups.0.upgrades Services of the gateway know no upgrades',
  ])
})
