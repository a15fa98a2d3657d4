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

test('412 keeps an override that has another version, also one that was made anew', async () => {
  const body = { organization: { id: api.stranger.organizationId }, limit_name: 'b', limit: 5 }
  const make = () => api.call('createGatehouseV1LimitOverride', { body })
  const first = await make()
  const path = { id: first.body.id }
  const headers = { 'if-match': first.headers.get('etag') ?? '' }
  await api.call('updateGatehouseV1LimitOverride', { path, body: { limit: 6 } })
  expect((await api.call(operation, { path, headers })).status).toBe(412)
  expect((await api.call('getGatehouseV1LimitOverride', { path })).body['limit']).toBe(6)
  expect((await api.call(operation, { path, headers: { 'if-match': '"2"' } })).status).toBe(204)
  const again = { path: { id: (await make()).body.id } }
  // The first one is gone, whatever versions the second one has.
  expect((await api.call(operation, { path, headers })).status).toBe(404)
  expect((await api.call('getGatehouseV1LimitOverride', again)).status).toBe(200)
})
