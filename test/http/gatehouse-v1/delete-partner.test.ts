import { expect, test } from 'vitest'
import { useGovernance } from '../../support/governance.ts'

const operation = 'deleteGatehouseV1Partner'
const api = useGovernance()

async function partner() {
  return api.call('createGatehouseV1Partner', { body: { display_name: 'Acme' } })
}

test('204 takes the partner away with its clients', async () => {
  const { id } = (await partner()).body
  const client = await api.call('createGatehouseV1PartnerClient', {
    path: { partner_id: id },
    body: { display_name: 'client' },
  })
  expect((await api.call(operation, { path: { id } })).status).toBe(204)
  expect((await api.call('getGatehouseV1Partner', { path: { id } })).status).toBe(404)
  expect(await api.gateway.directory.findPartnerClient(client.body.id)).toBeUndefined()
})

test('404 is for an id that no partner has', async () => {
  expect((await api.call(operation, { path: { id: 'partner-none' } })).status).toBe(404)
})

test('412 keeps a partner that has another version', async () => {
  const path = { id: (await partner()).body.id }
  const headers = { 'if-match': '"7"' }
  expect((await api.call(operation, { path, headers })).status).toBe(412)
  expect((await api.call('getGatehouseV1Partner', { path })).status).toBe(200)
})

test('403 is for the administrator of a customer, and nothing is deleted', async () => {
  const path = { id: (await partner()).body.id }
  const { authorization } = api.stranger
  expect((await api.call(operation, { path, authorization })).status).toBe(403)
  expect((await api.call('getGatehouseV1Partner', { path })).status).toBe(200)
})
