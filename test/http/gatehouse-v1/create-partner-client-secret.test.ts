import { expect, test } from 'vitest'
import { useGovernance } from '../../support/governance.ts'

const operation = 'createGatehouseV1PartnerClientSecret'
const api = useGovernance()

async function client() {
  const partner = await api.call('createGatehouseV1Partner', { body: { display_name: 'Acme' } })
  const path = { partner_id: partner.body.id }
  const made = await api.call('createGatehouseV1PartnerClient', {
    path,
    body: { display_name: 'app' },
  })
  return { path: { ...path, id: made.body.id }, secret: String(made.body['secret']) }
}

test('201 answers a second secret, and the first works until it is told to end', async () => {
  const { path, secret: first } = await client()
  const body = { other_expires_at: '2040-01-01T00:00:00Z' }
  const made = await api.call(operation, { path, body })
  expect(made.status).toBe(201)
  const second = String(made.body['secret'])
  const { directory } = api.gateway
  const { secrets = [] } = (await directory.findPartnerClient(path.id)) ?? {}
  expect(secrets.map(({ expiresAtMs }) => expiresAtMs)).toEqual([
    Date.parse(body.other_expires_at),
    undefined,
  ])
  for (const [index, secret] of [first, second].entries()) {
    const kept = secrets[index]
    expect(kept?.digest).toEqual(directory.digestSecret(secret)(kept?.pepperId))
  }
})

test('409 is for a client whose two secrets both work', async () => {
  const { path } = await client()
  expect((await api.call(operation, { path, body: {} })).status).toBe(201)
  expect((await api.call(operation, { path, body: {} })).status).toBe(409)
})

test('404 is for a client of another partner, which gets no secret', async () => {
  const { path: one } = await client()
  const { path: other } = await client()
  const path = { partner_id: one.partner_id, id: other.id }
  expect((await api.call(operation, { path, body: {} })).status).toBe(404)
  const found = await api.gateway.directory.findPartnerClient(other.id)
  expect(found?.secrets).toHaveLength(1)
})

test('400, 415 and 422 are for bodies that are not as they must be', async () => {
  const { path } = await client()
  expect((await api.call(operation, { path, body: '{' })).status).toBe(400)
  const headers = { 'content-type': 'text/plain' }
  expect((await api.call(operation, { path, body: '{}', headers })).status).toBe(415)
  const body = { other_expires_at: 'soon' }
  expect((await api.call(operation, { path, body })).status).toBe(422)
})

test('403 is for the administrator of a customer, and the client gets no secret', async () => {
  const { path } = await client()
  const { authorization } = api.stranger
  expect((await api.call(operation, { path, body: {}, authorization })).status).toBe(403)
  const found = await api.gateway.directory.findPartnerClient(path.id)
  expect(found?.secrets).toHaveLength(1)
})
