import { expect, test } from 'vitest'
import { useGovernance } from '../../support/governance.ts'

const operation = 'listGatehouseV1Resources'
const api = useGovernance()

async function resource(kind: string, id: string, authorization?: string) {
  const body = { resource: { kind, id } }
  const as = authorization === undefined ? {} : { authorization }
  return api.call('createGatehouseV1Resource', { body, ...as })
}

test('200 lists the resources of the caller’s organization alone, by kind and by id', async () => {
  await resource('kafka-cluster', 'lkc-1')
  await resource('order-book', 'book-1')
  const { authorization } = api.stranger
  const theirs = await resource('kafka-cluster', 'lkc-2', authorization)
  const all = await api.call(operation)
  expect(all.body.metadata['total_size']).toBe(2)
  expect(all.body.data.map(({ id }) => id)).not.toContain(theirs.body.id)
  const query = { 'resource.kind': 'kafka-cluster', 'resource.id': 'lkc-1' }
  expect((await api.call(operation, { query })).body.data).toHaveLength(1)
  const own = await api.call(operation, { authorization })
  expect(own.body.data.map(({ id }) => id)).toEqual([theirs.body.id])
})

test('400 refuses a page of another organization', async () => {
  const { body } = await api.call(operation)
  const token = new URL(body.metadata['last'] ?? '').searchParams.get('page_token') ?? ''
  const { authorization } = api.stranger
  const query = { page_token: token }
  expect((await api.call(operation, { query, authorization })).status).toBe(400)
})
