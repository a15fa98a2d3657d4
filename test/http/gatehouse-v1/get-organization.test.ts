import { expect, test } from 'vitest'
import { useGovernance } from '../../support/governance.ts'

const operation = 'getGatehouseV1Organization'
const api = useGovernance()

test('200 answers any organization to operators, with nothing that is shown once', async () => {
  const path = { id: api.stranger.organizationId }
  const read = await api.call(operation, { path })
  expect(read.status).toBe(200)
  expect(read.body).toMatchObject({ id: path.id, display_name: 'Strangers' })
  expect(read.body).not.toHaveProperty('api_key')
})

test('404 is for an id that no organization has, whether it could be one or not', async () => {
  for (const id of ['00000000-0000-4000-8000-000000000000', 'none'])
    expect((await api.call(operation, { path: { id } })).status).toBe(404)
})

test('403 is for the administrator of a customer, about the own organization too', async () => {
  const { authorization, organizationId: id } = api.stranger
  expect((await api.call(operation, { path: { id }, authorization })).status).toBe(403)
})
