import { expect, test } from 'vitest'
import { useGovernance } from '../../support/governance.ts'

const operation = 'listGatehouseV1PartnerClients'
const api = useGovernance()

async function partner(...clients: readonly string[]) {
  const made = await api.call('createGatehouseV1Partner', { body: { display_name: 'Acme' } })
  const path = { partner_id: made.body.id }
  for (const name of clients) {
    await api.call('createGatehouseV1PartnerClient', { path, body: { display_name: name } })
  }
  return path
}

test('200 lists the clients of one partner alone, without a secret', async () => {
  const path = await partner('a', 'b')
  await partner('c')
  const { status, body } = await api.call(operation, { path })
  expect(status).toBe(200)
  expect(body.data.map((client) => client['display_name']).toSorted()).toEqual(['a', 'b'])
  expect(JSON.stringify(body)).not.toContain('secret":')
  const named = await api.call(operation, { path, query: { display_name: 'a' } })
  expect(named.body.data).toHaveLength(1)
})

test('400 refuses a page of the list of another partner', async () => {
  const one = await api.call(operation, { path: await partner('a', 'b') })
  const token = new URL(one.body.metadata['last'] ?? '').searchParams.get('page_token') ?? ''
  const other = { path: await partner('a'), query: { page_token: token } }
  expect((await api.call(operation, other)).status).toBe(400)
})

test('404 is for a partner that does not exist', async () => {
  expect((await api.call(operation, { path: { partner_id: 'partner-none' } })).status).toBe(404)
})

test('403 is for the administrator of a customer', async () => {
  const { authorization } = api.stranger
  expect((await api.call(operation, { path: await partner(), authorization })).status).toBe(403)
})
