import { expect, test } from 'vitest'
import { publicOrigin, useApi } from '../../support/api.ts'
import { basic } from '../../support/basic.ts'

const operation = 'createIamV2ApiKey'
const api = useApi()

function owned(spec: object = {}): { spec: object } {
  return { spec: { owner: { id: api.gateway.userId }, ...spec } }
}

test('202 answers the key with its secret, which opens the API at once and is told once', async () => {
  const made = await api.call(operation, { body: owned({ display_name: 'ci' }) })
  expect(made.status).toBe(202)
  const { id } = made.body
  const { secret } = made.body['spec'] as { secret: string }
  const { organizationId, userId } = api.gateway
  const name = `crn://confluent.cloud/organization=${organizationId}/user=${userId}`
  expect(made.body).toMatchObject({
    metadata: {
      self: `${publicOrigin}/iam/v2/api-keys/${id}`,
      resource_name: `${name}/api-key=${id}`,
    },
    spec: {
      display_name: 'ci',
      owner: { id: userId, kind: 'User', resource_name: name },
      resource: null,
    },
    status: { phase: 'ACTIVE' },
  })
  const read = await api.call('getIamV2ApiKey', {
    path: { id },
    authorization: basic(id, secret),
  })
  expect(read.status).toBe(200)
  expect(read.body['spec']).not.toHaveProperty('secret')
  const events = await api.gateway.directory.auditEvents.list(organizationId, { limit: 100 })
  expect(events[0]).toMatchObject({ action: 'api-key.created', subject: { id } })
  expect(JSON.stringify(events)).not.toContain(secret)
})

test.each([
  [{ id: 'lkc-1' }, 'kafka-cluster', { id: 'lkc-1', api_version: 'cmk/v2', kind: 'Cluster' }],
  [
    { id: 'lsrc-1', api_version: 'srcm/v2', kind: 'Cluster' },
    'schema-registry',
    { id: 'lsrc-1', api_version: 'srcm/v3', kind: 'Cluster' },
  ],
  [
    { id: 'lsrc-2', kind: 'SchemaRegistry' },
    'schema-registry',
    { id: 'lsrc-2', api_version: 'srcm/v3', kind: 'Cluster' },
  ],
  [
    { id: 'aws.x-1', api_version: 'fcpm/v2', kind: 'Region', environment: { id: 'env-1' } },
    'flink-region',
    {
      id: 'aws.x-1',
      api_version: 'fcpm/v2',
      kind: 'Region',
      environment: { id: 'env-1' },
    },
  ],
  [
    { id: 'x'.repeat(255), kind: 'order-book' },
    'order-book',
    { id: 'x'.repeat(255), kind: 'order-book' },
  ],
])('202 makes a key for the resource %j', async (resource, resourceKind, shown) => {
  const { status, body } = await api.call(operation, { body: owned({ resource }) })
  expect(status).toBe(202)
  expect((body['spec'] as { resource: object }).resource).toEqual(shown)
  const key = await api.gateway.directory.findApiKey(body.id)
  expect(key?.resource).toMatchObject({ kind: 'resource', id: resource.id, resourceKind })
})

test('202 makes a global key', async () => {
  const resource = { id: 'global', api_version: 'global/v1', kind: 'Global' }
  const { body } = await api.call(operation, { body: owned({ resource }) })
  expect((body['spec'] as { resource: object }).resource).toEqual(resource)
  expect((await api.gateway.directory.findApiKey(body.id))?.resource).toEqual({ kind: 'global' })
})

test('202 makes a key that ends', async () => {
  const { body } = await api.call(operation, {
    body: owned({ expires_at: '2030-01-01T01:00:00+01:00' }),
  })
  expect(body['spec']).toMatchObject({ expires_at: '2030-01-01T00:00:00.000Z' })
})

test('404 is no answer to an owner of another organization, nor is it told from none', async () => {
  const answers = [api.stranger.userId, 'u-nobody', 'pool-1'].map((id) =>
    api.call(operation, { body: { spec: { owner: { id } } } }),
  )
  for (const { status, body } of await Promise.all(answers)) {
    expect(status).toBe(422)
    expect(body.error.fields).toEqual([{ pointer: '/spec/owner/id', message: 'Does not exist' }])
  }
})

test.each([
  [{}, '/spec'],
  [{ spec: {} }, '/spec/owner'],
  [{ spec: { owner: { id: '\0' } } }, '/spec/owner/id'],
  [{ spec: { owner: { id: 'u-1' }, expires_at: 'tomorrow' } }, '/spec/expires_at'],
  [{ spec: { owner: { id: 'u-1' }, resource: { id: 'other-1' } } }, '/spec/resource/kind'],
])('422 lists the member of %j that is not as it must be', async (body, pointer) => {
  const { status, body: answer } = await api.call(operation, { body })
  expect(status).toBe(422)
  expect(answer.error.fields).toEqual([expect.objectContaining({ pointer })])
})
