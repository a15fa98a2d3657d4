import { expect, test } from 'vitest'
import { useGovernance } from '../../support/governance.ts'

const operation = 'deleteGatehouseV1PartnerClient'
const api = useGovernance()

async function client() {
  const partner = await api.call('createGatehouseV1Partner', { body: { display_name: 'Acme' } })
  const path = { partner_id: partner.body.id }
  const body = { display_name: 'app' }
  const made = await api.call('createGatehouseV1PartnerClient', { path, body })
  return { ...path, id: made.body.id }
}

test('204 takes the client away', async () => {
  const path = await client()
  expect((await api.call(operation, { path })).status).toBe(204)
  expect(await api.gateway.directory.findPartnerClient(path.id)).toBeUndefined()
})

test('404 is for a client of another partner, which stays', async () => {
  const path = await client()
  const { partner_id } = await client()
  expect((await api.call(operation, { path: { ...path, partner_id } })).status).toBe(404)
  expect(await api.gateway.directory.findPartnerClient(path.id)).toBeDefined()
})

test('412 keeps a client that has another version', async () => {
  const path = await client()
  const headers = { 'if-match': '"9"' }
  expect((await api.call(operation, { path, headers })).status).toBe(412)
})

test('403 is for the administrator of a customer, and the client stays', async () => {
  const path = await client()
  const { authorization } = api.stranger
  expect((await api.call(operation, { path, authorization })).status).toBe(403)
  expect(await api.gateway.directory.findPartnerClient(path.id)).toBeDefined()
})
