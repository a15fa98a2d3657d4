import { expect, test } from 'vitest'
import { useGovernance } from '../../support/governance.ts'

const operation = 'getGatehouseV1SigningKey'
const api = useGovernance()

test('200 answers one key, and 404 is for an id that none has', async () => {
  const [key] = (await api.call('listGatehouseV1SigningKeys')).body.data
  const path = { id: key?.id ?? '' }
  const { status, body } = await api.call(operation, { path })
  expect(status).toBe(200)
  expect(body).toEqual(key)
  expect((await api.call(operation, { path: { id: 'none' } })).status).toBe(404)
  const { authorization } = api.stranger
  expect((await api.call(operation, { path, authorization })).status).toBe(403)
})
