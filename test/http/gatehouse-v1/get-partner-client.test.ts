import { expect, test } from 'vitest'
import { useGovernance } from '../../support/governance.ts'

const operation = 'getGatehouseV1PartnerClient'
const api = useGovernance()

async function client() {
  const partner = await api.call('createGatehouseV1Partner', { body: { display_name: 'Acme' } })
  const path = { partner_id: partner.body.id }
  const body = { display_name: 'app', scopes: ['partner:describe'] }
  const made = await api.call('createGatehouseV1PartnerClient', { path, body })
  return { ...path, id: made.body.id }
}

test('200 answers the client without its secret', async () => {
  const path = await client()
  const { status, body } = await api.call(operation, { path })
  expect(status).toBe(200)
  expect(body).toMatchObject({ id: path.id, scopes: ['partner:describe'] })
  expect(body).not.toHaveProperty('secret')
})

test('404 is for a client of another partner', async () => {
  const { id } = await client()
  const { partner_id } = await client()
  expect((await api.call(operation, { path: { partner_id, id } })).status).toBe(404)
})

test('403 is for the administrator of a customer', async () => {
  const { authorization } = api.stranger
  expect((await api.call(operation, { path: await client(), authorization })).status).toBe(403)
})
