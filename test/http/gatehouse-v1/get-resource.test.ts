import { expect, test } from 'vitest'
import { useGovernance } from '../../support/governance.ts'

const operation = 'getGatehouseV1Resource'
const api = useGovernance()

test('200 answers the resource to its organization, and 404 to every other', async () => {
  const body = { resource: { kind: 'kafka-cluster', id: 'lkc-1' } }
  const made = await api.call('createGatehouseV1Resource', { body })
  const path = { id: made.body.id }
  const read = await api.call(operation, { path })
  expect(read.status).toBe(200)
  expect(read.body).toEqual(made.body)
  const { authorization } = api.stranger
  expect((await api.call(operation, { path, authorization })).status).toBe(404)
  expect((await api.call(operation, { path: { id: 'resource-none' } })).status).toBe(404)
})
