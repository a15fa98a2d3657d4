import { generateKeyPairSync } from 'node:crypto'
import { beforeAll, expect, test } from 'vitest'
import { publicOrigin } from '../../support/api.ts'
import { useGovernance } from '../../support/governance.ts'

const operation = 'createGatehouseV1PartnerClient'
const api = useGovernance()

let path: { partner_id: string }
beforeAll(async () => {
  const made = await api.call('createGatehouseV1Partner', { body: { display_name: 'Acme' } })
  path = { partner_id: made.body.id }
})

const { publicKey, privateKey } = generateKeyPairSync('ed25519')
const publicJwk = { ...publicKey.export({ format: 'jwk' }), kid: '1' }

test('201 answers the client with its secret, which is told once and kept by nobody', async () => {
  const body = { display_name: 'app', scopes: ['partner:create'] }
  const made = await api.call(operation, { path, body })
  expect(made.status).toBe(201)
  const { id } = made.body
  const secret = String(made.body['secret'])
  expect(made.body).toMatchObject({
    kind: 'PartnerClient',
    metadata: {
      self: `${publicOrigin}/gatehouse/v1/partners/${path.partner_id}/clients/${id}`,
      resource_name: `crn://confluent.cloud/partner=${path.partner_id}/client=${id}`,
    },
    scopes: ['partner:create'],
    auth_methods: ['client_secret_basic'],
    state: 'ENABLED',
    partner: { id: path.partner_id },
  })
  const { directory } = api.gateway
  const [kept] = (await directory.findPartnerClient(id))?.secrets ?? []
  expect(kept?.digest).toEqual(directory.digestSecret(secret)(kept?.pepperId))
  const read = await api.call('getGatehouseV1PartnerClient', { path: { ...path, id } })
  expect(read.body).not.toHaveProperty('secret')
  const events = await directory.auditEvents.list(undefined, { limit: 100 })
  expect(events[0]).toMatchObject({ action: 'partner-client.created', subject: { id } })
  expect(JSON.stringify(events)).not.toContain(secret)
})

test('201 makes a client that signs its assertions, without a secret', async () => {
  const jwks = { keys: [publicJwk] }
  const body = { display_name: 'signing', auth_methods: ['private_key_jwt'], jwks }
  const made = await api.call(operation, { path, body })
  expect(made.status).toBe(201)
  expect(made.body).toMatchObject({ auth_methods: ['private_key_jwt'], jwks })
  expect(made.body).not.toHaveProperty('secret')
})

test.each([
  [{}, '/display_name'],
  [{ display_name: 'x', scopes: ['two scopes'] }, '/scopes/0'],
  [{ display_name: 'x', auth_methods: [] }, '/auth_methods'],
  [{ display_name: 'x', auth_methods: ['none'] }, '/auth_methods/0'],
  [{ display_name: 'x', auth_methods: ['private_key_jwt'] }, '/jwks'],
  [{ display_name: 'x', jwks: { keys: [{}] } }, '/jwks/keys/0/kty'],
  [{ display_name: 'x', jwks: { keys: [privateKey.export({ format: 'jwk' })] } }, '/jwks/keys/0'],
  [{ display_name: 'x', jwks: { keys: [{ kty: 'oct', k: 'AAAA' }] } }, '/jwks/keys/0'],
])('422 lists the member of %j that is not as it must be', async (body, pointer) => {
  const { status, body: answer } = await api.call(operation, { path, body })
  expect(status).toBe(422)
  expect(answer.error.fields).toEqual([expect.objectContaining({ pointer })])
})

test('404 is for a partner that does not exist', async () => {
  const nobody = { partner_id: 'partner-none' }
  const body = { display_name: 'x' }
  expect((await api.call(operation, { path: nobody, body })).status).toBe(404)
})

test('403 is for the administrator of a customer, and nothing is made', async () => {
  const { directory } = api.gateway
  const before = await directory.partnerClients.count(path.partner_id)
  const { authorization } = api.stranger
  const body = { display_name: 'own' }
  expect((await api.call(operation, { path, body, authorization })).status).toBe(403)
  expect(await directory.partnerClients.count(path.partner_id)).toBe(before)
})
