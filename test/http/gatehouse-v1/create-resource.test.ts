import { expect, test } from 'vitest'
import { publicOrigin } from '../../support/api.ts'
import { useGovernance } from '../../support/governance.ts'

const operation = 'createGatehouseV1Resource'
const api = useGovernance()

test('201 answers the resource, which is of the caller’s organization', async () => {
  const body = {
    display_name: 'Orders',
    resource: { kind: 'flink-region', id: 'aws.x', environment: { id: 'env-1' } },
  }
  const made = await api.call(operation, { body })
  expect(made.status).toBe(201)
  const { id } = made.body
  expect(made.body).toMatchObject({
    metadata: {
      self: `${publicOrigin}/gatehouse/v1/resources/${id}`,
      resource_name: `crn://confluent.cloud/organization=${api.gateway.organizationId}/resource=${id}`,
    },
    ...body,
  })
  const { authorization } = api.stranger
  const other = { resource: { kind: 'order-book', id: 'x'.repeat(255) } }
  const theirs = await api.call(operation, { body: other, authorization })
  expect(theirs.body.metadata['resource_name']).toContain(api.stranger.organizationId)
})

test('409 names a resource that the organization has, and none of another organization', async () => {
  const body = { resource: { kind: 'kafka-cluster', id: 'lkc-1' } }
  const first = await api.call(operation, { body })
  const second = await api.call(operation, { body })
  expect(second.status).toBe(409)
  expect(second.headers.get('location')).toBe(first.body.metadata['self'])
  const { authorization } = api.stranger
  const theirs = await api.call(operation, { body, authorization })
  expect(theirs.status).toBe(409)
  expect(theirs.headers.get('location')).toBeNull()
})

test('409 names the resource of the same environment, whatever others are called alike', async () => {
  const named = (environment: string) => ({
    resource: { kind: 'flink-region', id: 'aws.y', environment: { id: environment } },
  })
  const selves = new Map<string, unknown>()
  for (const environment of ['env-1', 'env-2', 'env-3']) {
    const made = await api.call(operation, { body: named(environment) })
    selves.set(environment, made.body.metadata['self'])
  }
  for (const [environment, self] of selves) {
    const again = await api.call(operation, { body: named(environment) })
    expect(again.status).toBe(409)
    expect(again.headers.get('location')).toBe(self)
  }
})

test('409 is for a resource that another organization has keys for', async () => {
  const key = {
    ownerId: api.stranger.userId,
    resource: {
      kind: 'resource',
      resourceKind: 'kafka-cluster',
      id: 'lkc-2',
      environment: undefined,
    },
  } as const
  await api.gateway.directory.apiKeys.create(key, { id: 'test' })
  const body = { resource: { kind: 'kafka-cluster', id: 'lkc-2' } }
  expect((await api.call(operation, { body })).status).toBe(409)
})

test.each([
  [{}, '/resource'],
  [{ resource: { kind: 'x' } }, '/resource/id'],
  [{ resource: { kind: '', id: 'x' } }, '/resource/kind'],
  [{ resource: { kind: 'x', id: 'y', environment: {} } }, '/resource/environment/id'],
])('422 lists the member of %j that is not as it must be', async (body, pointer) => {
  const { status, body: answer } = await api.call(operation, { body })
  expect(status).toBe(422)
  expect(answer.error.fields).toEqual([expect.objectContaining({ pointer })])
})
