import { expect, test } from 'vitest'
import { useGovernance } from '../../support/governance.ts'

const operation = 'getGatehouseV1AuditEvent'
const api = useGovernance()

test('200 answers an event of the caller’s organization, and 404 is for every other', async () => {
  const [event] = (await api.call('listGatehouseV1AuditEvents')).body.data
  const path = { id: event?.id ?? '' }
  expect((await api.call(operation, { path })).body).toEqual(event)
  const { authorization } = api.stranger
  expect((await api.call(operation, { path, authorization })).status).toBe(404)
})

test('200 answers an event of what belongs to no organization to operators alone', async () => {
  await api.call('createGatehouseV1Partner', { body: { display_name: 'Acme' } })
  const query = { organization: 'none', action: 'partner.created' }
  const [event] = (await api.call('listGatehouseV1AuditEvents', { query })).body.data
  const path = { id: event?.id ?? '' }
  expect((await api.call(operation, { path })).status).toBe(200)
  const { authorization } = api.stranger
  expect((await api.call(operation, { path, authorization })).status).toBe(404)
})

test.each(['0', 'none', '9'.repeat(30), '-1', '1e3'])('404 is for the id %s', async (id) => {
  expect((await api.call(operation, { path: { id } })).status).toBe(404)
})
