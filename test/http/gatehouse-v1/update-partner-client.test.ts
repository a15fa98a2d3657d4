import { expect, test } from 'vitest'
import { useGovernance } from '../../support/governance.ts'

const operation = 'updateGatehouseV1PartnerClient'
const api = useGovernance()

async function client() {
  const partner = await api.call('createGatehouseV1Partner', { body: { display_name: 'Acme' } })
  const path = { partner_id: partner.body.id }
  const body = { display_name: 'app', scopes: ['partner:create', 'partner:describe'] }
  const made = await api.call('createGatehouseV1PartnerClient', { path, body })
  return { ...path, id: made.body.id }
}

test('200 takes scopes away at once and keeps the rest', async () => {
  const path = await client()
  const body = { scopes: ['partner:describe'] }
  const changed = await api.call(operation, { path, body })
  expect(changed.status).toBe(200)
  expect(changed.body).toMatchObject({ display_name: 'app', ...body })
  const found = await api.gateway.directory.findPartnerClient(path.id)
  expect(found?.scopes).toEqual(['partner:describe'])
  expect(found?.secrets).toHaveLength(1)
})

test('200 disables a client, and enables it again', async () => {
  const path = await client()
  for (const state of ['DISABLED', 'ENABLED']) {
    const changed = await api.call(operation, { path, body: { state } })
    expect(changed.body['state']).toBe(state)
    const found = await api.gateway.directory.findPartnerClient(path.id)
    expect(found?.state).toBe(state.toLowerCase())
  }
})

test('404 is for a client of another partner, which is not changed', async () => {
  const path = await client()
  const { partner_id } = await client()
  const body = { state: 'DISABLED' }
  expect((await api.call(operation, { path: { ...path, partner_id }, body })).status).toBe(404)
  expect((await api.gateway.directory.findPartnerClient(path.id))?.state).toBe('enabled')
})

test('412 keeps a client that has another version', async () => {
  const path = await client()
  const headers = { 'if-match': '"9"' }
  const body = { display_name: 'x' }
  expect((await api.call(operation, { path, headers, body })).status).toBe(412)
})

test('200 gives a client keys, and others in their place, and takes away what is not needed', async () => {
  const path = await client()
  const key = (x: string) => ({ kty: 'OKP', crv: 'Ed25519', x, kid: x })
  const change = (body: object) => api.call(operation, { path, body })
  const jwksOf = async () => (await api.gateway.directory.findPartnerClient(path.id))?.jwks
  const first = { keys: [key('a'), key('b')] }
  const signed = await change({ auth_methods: ['private_key_jwt'], jwks: first })
  expect(signed.body).toMatchObject({ auth_methods: ['private_key_jwt'], jwks: first })
  const second = { keys: [key('c')] }
  expect((await change({ jwks: second })).body['jwks']).toEqual(second)
  expect(await jwksOf()).toEqual(second)
  expect((await change({ jwks: null })).status).toBe(422)
  expect((await change({ jwks: { keys: [{ ...key('d'), d: 'private' }] } })).status).toBe(422)
  expect(await jwksOf()).toEqual(second)
  const plain = await change({ auth_methods: ['client_secret_basic'], jwks: null })
  expect(plain.status).toBe(200)
  expect(plain.body).not.toHaveProperty('jwks')
})

test.each([
  [{ partner: { id: 'partner-other' } }, '/partner/id'],
  [{ auth_methods: ['private_key_jwt'] }, '/jwks'],
  [{ scopes: ['a b'] }, '/scopes/0'],
])('422 lists the member of %j that cannot be so', async (body, pointer) => {
  const { status, body: answer } = await api.call(operation, { path: await client(), body })
  expect(status).toBe(422)
  expect(answer.error.fields).toEqual([expect.objectContaining({ pointer })])
})

test('400 and 415 are for bodies that cannot be read', async () => {
  const path = await client()
  expect((await api.call(operation, { path, body: '{' })).status).toBe(400)
  const headers = { 'content-type': 'text/plain' }
  expect((await api.call(operation, { path, body: '{}', headers })).status).toBe(415)
})

test('403 is for the administrator of a customer, and nothing is changed', async () => {
  const path = await client()
  const { authorization } = api.stranger
  const body = { state: 'DISABLED' }
  expect((await api.call(operation, { path, body, authorization })).status).toBe(403)
  expect((await api.gateway.directory.findPartnerClient(path.id))?.state).toBe('enabled')
})
