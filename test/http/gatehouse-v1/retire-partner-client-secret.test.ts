import { expect, test } from 'vitest'
import { useGovernance } from '../../support/governance.ts'

const operation = 'retireGatehouseV1PartnerClientSecret'
const api = useGovernance()

async function client() {
  const partner = await api.call('createGatehouseV1Partner', { body: { display_name: 'Acme' } })
  const within = { partner_id: partner.body.id }
  const body = { display_name: 'app' }
  const made = await api.call('createGatehouseV1PartnerClient', { path: within, body })
  return { path: { ...within, id: made.body.id } }
}

async function rotated() {
  const { path } = await client()
  const made = await api.call('createGatehouseV1PartnerClientSecret', { path, body: {} })
  return { path, newer: String(made.body['secret']) }
}

async function secretsOf({ id }: { readonly id: string }) {
  return (await api.gateway.directory.findPartnerClient(id))?.secrets ?? []
}

test('200 has the newer secret work alone, and the audit has it', async () => {
  const { path, newer } = await rotated()
  const retired = await api.call(operation, { path })
  expect(retired.status).toBe(200)
  expect(retired.body).not.toHaveProperty('secret')
  const { directory } = api.gateway
  const [kept, ...others] = await secretsOf(path)
  expect(others).toEqual([])
  expect(kept?.digest).toEqual(directory.digestSecret(newer)(kept?.pepperId))
  const events = await directory.auditEvents.list(undefined, { limit: 1 }, { subjectId: path.id })
  expect(events).toMatchObject([{ action: 'partner-client.secret-retired' }])
})

test('409 keeps the only secret that works', async () => {
  const { path } = await client()
  expect((await api.call(operation, { path })).status).toBe(409)
  expect(await secretsOf(path)).toHaveLength(1)
})

test('404 is for a client of another partner, and 403 for a customer’s administrator', async () => {
  const { path } = await rotated()
  const { path: other } = await client()
  const elsewhere = { partner_id: other.partner_id, id: path.id }
  expect((await api.call(operation, { path: elsewhere })).status).toBe(404)
  const { authorization } = api.stranger
  expect((await api.call(operation, { path, authorization })).status).toBe(403)
  expect(await secretsOf(path)).toHaveLength(2)
})
