import { expect, test } from 'vitest'
import { useApi } from '../../support/api.ts'
import { basic } from '../../support/basic.ts'
import { administrator, audited } from '../support/collection.ts'
import { anApiKey } from '../support/key.ts'

const operation = 'createIamV2ApiKeySecret'
const api = useApi()

test('201 answers a second secret, once; both open the key, and the audit has no secret', async () => {
  const { path, secret: first, self } = await anApiKey(api)
  const made = await api.call(operation, { path, body: {} })
  expect(made.status).toBe(201)
  expect(made.headers.get('location')).toBe(self)
  const { secret: second } = made.body['spec'] as { secret: string }
  expect(second).not.toBe(first)
  for (const secret of [first, second]) {
    const authorization = basic(path.id, secret)
    expect((await api.call('getIamV2ApiKey', { path, authorization })).status).toBe(200)
  }
  const read = await api.call('getIamV2ApiKey', { path })
  expect(read.body['spec']).not.toHaveProperty('secret')
  const events = await api.call('listGatehouseV1AuditEvents', { query: { subject: path.id } })
  expect(events.body.data[0]).toMatchObject({ action: 'api-key.secret-added' })
  expect(JSON.stringify(events.body)).not.toContain(second)
})

test('201 sets when the other secret ends', async () => {
  const { path, secret: first } = await anApiKey(api)
  const body = { other_expires_at: '2001-01-01T00:00:00Z' }
  const made = await api.call(operation, { path, body })
  const { secret: second } = made.body['spec'] as { secret: string }
  const statusOf = async (secret: string) => {
    const authorization = basic(path.id, secret)
    return (await api.call('getIamV2ApiKey', { path, authorization })).status
  }
  expect([await statusOf(first), await statusOf(second)]).toEqual([401, 200])
})

test('409 is for a key whose two secrets both work, and for one that is revoked', async () => {
  const { path } = await anApiKey(api)
  expect((await api.call(operation, { path, body: {} })).status).toBe(201)
  expect((await api.call(operation, { path, body: {} })).status).toBe(409)
  const { path: revoked } = await anApiKey(api)
  await api.gateway.directory.apiKeys.revoke(revoked.id, { id: 'test' })
  expect((await api.call(operation, { path: revoked, body: {} })).status).toBe(409)
})

test('404 is for another organization’s key, which gets no secret, and for none', async () => {
  const { path } = await anApiKey(api)
  const { authorization } = api.stranger
  expect((await api.call(operation, { path, body: {}, authorization })).status).toBe(404)
  expect(await audited(api, administrator(api), path)).toEqual(['api-key.created'])
  expect((await api.call(operation, { path: { id: 'AAAAAAAAAAAAAAAA' }, body: {} })).status).toBe(
    404,
  )
})

test('422 is for an end that is no time, and the key gets no secret', async () => {
  const { path } = await anApiKey(api)
  const { status, body } = await api.call(operation, { path, body: { other_expires_at: 'soon' } })
  expect(status).toBe(422)
  expect(body.error.fields).toMatchObject([{ pointer: '/other_expires_at' }])
  expect(await audited(api, administrator(api), path)).toEqual(['api-key.created'])
})
