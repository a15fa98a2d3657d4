import { expect, test } from 'vitest'
import { useGovernance } from '../../support/governance.ts'

const operation = 'deleteGatehouseV1LimitOverride'
const api = useGovernance()

test('204 has the configured limit hold again; 403 and 404 change nothing', async () => {
  const { authorization, organizationId } = api.stranger
  const body = { organization: { id: organizationId }, limit_name: 'a', limit: 5 }
  const path = { id: (await api.call('createGatehouseV1LimitOverride', { body })).body.id }
  const limit = () => api.gateway.directory.limitOverrideFinder()(organizationId, undefined, 'a')
  expect((await api.call(operation, { path, authorization })).status).toBe(403)
  expect((await api.call(operation, { path: { id: 'override-none' } })).status).toBe(404)
  expect(limit()).toBe(5)
  expect((await api.call(operation, { path })).status).toBe(204)
  expect(limit()).toBeUndefined()
})
