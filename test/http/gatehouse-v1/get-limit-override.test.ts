import { expect, test } from 'vitest'
import { useGovernance } from '../../support/governance.ts'

const operation = 'getGatehouseV1LimitOverride'
const api = useGovernance()

test('200 answers the override, 404 is for an id that none has, 403 for a customer', async () => {
  const body = { organization: { id: api.stranger.organizationId }, limit_name: 'a', limit: 5 }
  const made = await api.call('createGatehouseV1LimitOverride', { body })
  const path = { id: made.body.id }
  const read = await api.call(operation, { path })
  expect(read.body).toEqual(made.body)
  expect(read.headers.get('etag')).toBe(made.headers.get('etag'))
  expect((await api.call(operation, { path: { id: 'override-none' } })).status).toBe(404)
  const { authorization } = api.stranger
  expect((await api.call(operation, { path, authorization })).status).toBe(403)
})
