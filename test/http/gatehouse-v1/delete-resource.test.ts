import { expect, test } from 'vitest'
import { useGovernance } from '../../support/governance.ts'

const operation = 'deleteGatehouseV1Resource'
const api = useGovernance()

async function resource(id: string) {
  const body = { resource: { kind: 'kafka-cluster', id } }
  return { id: (await api.call('createGatehouseV1Resource', { body })).body.id }
}

test('204 takes the resource away with every key that opens it, and no other', async () => {
  const path = await resource('lkc-1')
  const { directory, userId } = api.gateway
  const keyFor = (id: string) =>
    directory.apiKeys.create(
      {
        ownerId: userId,
        resource: { kind: 'resource', resourceKind: 'kafka-cluster', id, environment: undefined },
      },
      { id: 'test' },
    )
  const key = await keyFor('lkc-1')
  const other = await keyFor('lkc-other')
  expect((await api.call(operation, { path })).status).toBe(204)
  expect((await api.call('getGatehouseV1Resource', { path })).status).toBe(404)
  expect(await directory.findApiKey(key.id)).toBeUndefined()
  expect(await directory.findApiKey(other.id)).toBeDefined()
})

test('404 is for a resource of another organization, which stays', async () => {
  const path = await resource('lkc-2')
  const { authorization } = api.stranger
  expect((await api.call(operation, { path, authorization })).status).toBe(404)
  expect((await api.call('getGatehouseV1Resource', { path })).status).toBe(200)
})

test('412 keeps a resource that has another version', async () => {
  const path = await resource('lkc-3')
  const headers = { 'if-match': '"9"' }
  expect((await api.call(operation, { path, headers })).status).toBe(412)
})
