import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { KeyResource } from '../../src/auth/api-key.ts'
import { basic } from '../support/basic.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { rawExchange, type RawResponse } from '../support/raw-client.ts'
import { recordingUpstream, type RecordingUpstream } from '../support/recording-upstream.ts'
import { until } from '../support/until.ts'

const actor = { id: 'test' }
const resourceKeys = { get: { security: [{ 'resource-api-key': [] }] } }

let upstream: RecordingUpstream
let gateway: TestGateway

beforeAll(async () => {
  upstream = await recordingUpstream()
  const upstreamUrl = upstream.url
  gateway = await startGateway({
    groups: [
      {
        name: 'kafka/v3',
        paths: { '/clusters/{cluster_id}/topics': resourceKeys },
        resource: { kind: 'kafka-cluster', id: { path: 'cluster_id' } },
        upstreamUrl,
      },
      {
        name: 'ksql/v1',
        paths: { '/ksql': resourceKeys },
        resource: { kind: 'ksqldb-cluster', id: { query: 'cluster' } },
        upstreamUrl,
      },
      {
        name: 'schema-registry/v1',
        paths: { '/subjects': resourceKeys },
        resource: { kind: 'schema-registry-cluster', id: { header: 'Target-SR-Cluster' } },
        errorProfile: 'schema-registry',
        upstreamUrl,
      },
      {
        name: 'kafka-hosts/v3',
        hosts: ['{cluster_id}.kafka.example.com'],
        paths: { '/topics': resourceKeys },
        resource: { kind: 'kafka-cluster', id: { host: 'cluster_id' } },
        upstreamUrl,
      },
      {
        name: 'flink/v1',
        hosts: ['flink.{region}.{provider}.example.com'],
        paths: { '/environments/{environment_id}/statements': resourceKeys },
        resource: {
          kind: 'flink-region',
          id: { host: 'region' },
          environment: { path: 'environment_id' },
        },
        upstreamUrl,
      },
      { name: 'cloud/v1', mount: '/cloud', paths: { '/things': { get: {} } }, upstreamUrl },
    ],
    configuration: {
      limits: {
        unauthenticated: { requests: 10_000, windowSeconds: 3_600 },
        classes: { standard: {} },
      },
    },
  })
})
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
})

type Call = { readonly path: string; readonly host?: string; readonly fields?: readonly string[] }

function call({ path, host = 'api.test', fields = [] }: Call, key: string): Promise<RawResponse> {
  const head = [`GET ${path} HTTP/1.1`, `Host: ${host}`, `Authorization: ${key}`, ...fields]
  return rawExchange(gateway.port, `${head.join('\r\n')}\r\n\r\n`)
}

async function statusOf(request: Call, key: string): Promise<number> {
  return (await call(request, key)).status
}

type Resource = Omit<Extract<KeyResource, { kind: 'resource' }>, 'kind'>

function resource(resourceKind: string, id: string, environment?: string): Resource {
  return { resourceKind, id, environment }
}

async function newKey(opened: Resource | 'global', ownerId = gateway.userId) {
  const { id, secret } = await gateway.directory.apiKeys.create(
    {
      ownerId,
      resource: opened === 'global' ? { kind: 'global' } : { kind: 'resource', ...opened },
    },
    actor,
  )
  return { id, secret, authorization: basic(id, secret) }
}

async function reasonFor(response: RawResponse): Promise<unknown> {
  const requestId = response.field('X-Request-Id')
  const find = () => gateway.log.find((record) => record['requestId'] === requestId)
  await until(() => find() !== undefined)
  return find()?.['reason']
}

const topics = (cluster: string): Call => ({ path: `/clusters/${cluster}/topics` })

/** How each rule tells the resource: its own, and what is another or none. */
const rules: readonly (readonly [string, Resource, Call, readonly Call[]])[] = [
  [
    'a path parameter',
    resource('kafka-cluster', 'lkc-1'),
    topics('lkc-1'),
    [topics('lkc-2'), topics('LKC-1'), topics('lkc-1%2F'), topics('lkc-1%20')],
  ],
  [
    'a query parameter',
    resource('ksqldb-cluster', 'lksqlc-1'),
    { path: '/ksql?x=1&cluster=lksqlc-1' },
    [
      { path: '/ksql' },
      { path: '/ksql?cluster=' },
      { path: '/ksql?cluster=lksqlc-2' },
      { path: '/ksql?Cluster=lksqlc-1' },
      // Which of two the service behind would take cannot be told.
      { path: '/ksql?cluster=lksqlc-1&cluster=lksqlc-2' },
      { path: '/ksql?cluster=lksqlc-1&cluster=lksqlc-1' },
      { path: '/ksql?cluster=lksqlc-2&%63luster=lksqlc-1' },
    ],
  ],
  [
    'the field target-sr-cluster',
    resource('schema-registry-cluster', 'lsrc-1'),
    { path: '/subjects', fields: ['target-sr-cluster: lsrc-1'] },
    [
      { path: '/subjects' },
      { path: '/subjects', fields: ['target-sr-cluster: lsrc-2'] },
      { path: '/subjects', fields: ['target-sr-cluster: lsrc-1', 'Target-Sr-Cluster: lsrc-2'] },
      { path: '/subjects', fields: ['target-sr-cluster: lsrc-1, lsrc-1'] },
      { path: '/subjects?target-sr-cluster=lsrc-1' },
    ],
  ],
  [
    'the host',
    resource('kafka-cluster', 'lkc-1'),
    { path: '/topics', host: 'lkc-1.kafka.example.com' },
    [{ path: '/topics', host: 'lkc-2.kafka.example.com' }],
  ],
  [
    'environment and region',
    resource('flink-region', 'us-east-1', 'env-1'),
    { path: '/environments/env-1/statements', host: 'flink.us-east-1.aws.example.com' },
    [
      { path: '/environments/env-2/statements', host: 'flink.us-east-1.aws.example.com' },
      { path: '/environments/env-1/statements', host: 'flink.us-east-2.aws.example.com' },
    ],
  ],
]

describe.each(rules)('where the resource stands in %s', (_where, own, right, wrong) => {
  test('a key opens its own resource and no other', async () => {
    const { authorization } = await newKey(own)
    expect(await statusOf(right, authorization)).toBe(200)
    const before = upstream.requests.length
    for (const request of wrong) {
      const response = await call(request, authorization)
      expect([request, response.status]).toEqual([request, 401])
      expect(await reasonFor(response)).toBe('wrong-resource')
    }
    expect(upstream.requests).toHaveLength(before)
  })

  test('a key of the same id for another kind of resource does not', async () => {
    const other = await newKey({ ...own, resourceKind: 'connector' })
    expect(await reasonFor(await call(right, other.authorization))).toBe('wrong-resource')
    const elsewhere = await newKey({ ...own, environment: 'env-9' })
    expect(await reasonFor(await call(right, elsewhere.authorization))).toBe('wrong-resource')
  })
})

/** All that was sent, but for what is another in every answer. */
function withoutRequest({ status, fields, body }: RawResponse): unknown {
  const kept = fields.filter(([name]) => !/^(?:date|x-request-id)$/i.test(name))
  const text = body
    .replace(/"requestId":"[^"]*"/, '"requestId":"…"')
    .replace(/"timestamp":"[^"]*"/, '"timestamp":"…"')
  return { status, fields: kept, body: text }
}

describe('the one 401', () => {
  test('is the same to the byte for every key that does not open a resource, and is logged apart', async () => {
    const owner = resource('kafka-cluster', 'lkc-1')
    const { apiKeys } = gateway.directory
    const [revoked, expired, right] = [
      await newKey(owner),
      await newKey(owner),
      await newKey(owner),
    ]
    await apiKeys.revoke(revoked.id, actor)
    await apiKeys.setExpiry(expired.id, Date.now() - 1_000, actor)
    const presented: readonly (readonly [string, string])[] = [
      ['unknown-key', basic('ABCDEFGHIJKLMNOP', right.secret)],
      ['wrong-secret', basic(right.id, gateway.key.secret)],
      ['revoked', revoked.authorization],
      ['expired', expired.authorization],
      ['wrong-kind', gateway.key.authorization],
      ['wrong-kind', (await newKey('global')).authorization],
      ['wrong-resource', (await newKey(resource('kafka-cluster', 'lkc-2'))).authorization],
      ['token-type', 'Bearer eyJhbGciOiJub25lIn0.e30.c2ln'],
      ['unsupported-scheme', 'Negotiate abc'],
    ]
    const answers = new Set<string>()
    for (const [reason, authorization] of presented) {
      const response = await call(topics('lkc-1'), authorization)
      expect([reason, await reasonFor(response)]).toEqual([reason, reason])
      answers.add(JSON.stringify(withoutRequest(response)))
    }
    expect([...answers]).toHaveLength(1)
    expect([...answers][0]).toContain('CREDENTIAL_REJECTED')
  })

  test('is what a resource key gets at a cloud operation, too', async () => {
    const cloud = { path: '/cloud/things' }
    const key = await newKey(resource('kafka-cluster', 'lkc-1'))
    const [ofResource, ofNobody] = [
      await call(cloud, key.authorization),
      await call(cloud, basic('ABCDEFGHIJKLMNOP', key.secret)),
    ]
    expect(ofResource.status).toBe(401)
    expect(await reasonFor(ofResource)).toBe('wrong-kind')
    expect(withoutRequest(ofResource)).toEqual(withoutRequest(ofNobody))
    expect(await statusOf(cloud, gateway.key.authorization)).toBe(200)
  })

  test('never has the reason, the key or the secret in the log of another’s request', async () => {
    const key = await newKey(resource('kafka-cluster', 'lkc-1'))
    await reasonFor(await call(topics('lkc-2'), key.authorization))
    expect(JSON.stringify(gateway.log)).not.toContain(key.secret)
    expect(JSON.stringify(gateway.log)).not.toContain(key.authorization.slice(6))
  })
})

describe('a key of a resource', () => {
  const own = resource('kafka-cluster', 'lkc-1')

  test('dies with its owner', async () => {
    const { principals } = gateway.directory
    const { organizationId } = gateway
    const account = { organizationId, displayName: 'dies' }
    const { id } = await principals.createServiceAccount(account, actor)
    const key = await newKey(own, id)
    expect(await statusOf(topics('lkc-1'), key.authorization)).toBe(200)
    await principals.delete(id, actor)
    const response = await call(topics('lkc-1'), key.authorization)
    expect([response.status, await reasonFor(response)]).toEqual([401, 'unknown-key'])
  })

  test('dies with its resource', async () => {
    const { resources } = gateway.directory
    const { organizationId } = gateway
    const made = { organizationId, resourceKind: 'kafka-cluster', resourceId: 'lkc-9' }
    const { id } = await resources.create(made, actor)
    const key = await newKey(resource('kafka-cluster', 'lkc-9'))
    const other = await newKey(own)
    expect(await statusOf(topics('lkc-9'), key.authorization)).toBe(200)
    await resources.delete(id, actor)
    const response = await call(topics('lkc-9'), key.authorization)
    expect([response.status, await reasonFor(response)]).toEqual([401, 'unknown-key'])
    expect(await statusOf(topics('lkc-1'), other.authorization)).toBe(200)
  })

  test('has two secrets that open it while it is rotated, until the older one ends', async () => {
    const { apiKeys } = gateway.directory
    const key = await newKey(own)
    const { secret } = await apiKeys.addSecret({ keyId: key.id }, actor)
    const newer = basic(key.id, secret)
    expect(await statusOf(topics('lkc-1'), key.authorization)).toBe(200)
    expect(await statusOf(topics('lkc-1'), newer)).toBe(200)
    await expect(apiKeys.addSecret({ keyId: key.id }, actor)).rejects.toMatchObject({
      code: 'CONFLICT',
    })

    const ending = await newKey(own)
    const otherExpiresAtMs = Date.now() - 1
    const second = await apiKeys.addSecret({ keyId: ending.id, otherExpiresAtMs }, actor)
    const response = await call(topics('lkc-1'), ending.authorization)
    expect([response.status, await reasonFor(response)]).toEqual([401, 'expired'])
    expect(await statusOf(topics('lkc-1'), basic(ending.id, second.secret))).toBe(200)
  })

  test('works until its expiry, which can be moved', async () => {
    const { apiKeys } = gateway.directory
    const key = await newKey(own)
    await apiKeys.setExpiry(key.id, Date.now() + 60_000, actor)
    expect(await statusOf(topics('lkc-1'), key.authorization)).toBe(200)
    await apiKeys.setExpiry(key.id, Date.now() - 1, actor)
    expect(await statusOf(topics('lkc-1'), key.authorization)).toBe(401)
    await apiKeys.setExpiry(key.id, undefined, actor)
    expect(await statusOf(topics('lkc-1'), key.authorization)).toBe(200)
  })

  test('is known to have been used where it opened something, and only there', async () => {
    const { apiKeys } = gateway.directory
    const [used, refused] = [await newKey(own), await newKey(own)]
    const lastUsed = async (keyId: string): Promise<number | undefined> => {
      const listed = await apiKeys.list(gateway.organizationId, { limit: 1_000 })
      return listed.find(({ id }) => id === keyId)?.lastUsedAtMs
    }
    const beganAtMs = Date.now()
    expect(await statusOf(topics('lkc-2'), refused.authorization)).toBe(401)
    expect(await statusOf(topics('lkc-1'), used.authorization)).toBe(200)
    expect(await statusOf(topics('lkc-1'), basic(refused.id, 'wrong'))).toBe(401)
    await until(async () => (await lastUsed(used.id)) !== undefined, 20_000)
    expect(await lastUsed(used.id)).toBeGreaterThanOrEqual(beganAtMs - 60_000)
    expect(await lastUsed(refused.id)).toBeUndefined()
  })
})
