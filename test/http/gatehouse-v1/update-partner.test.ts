import { expect, test } from 'vitest'
import { useGovernance } from '../../support/governance.ts'

const operation = 'updateGatehouseV1Partner'
const api = useGovernance()

async function partner() {
  return api.call('createGatehouseV1Partner', { body: { display_name: 'Acme' } })
}

test('200 changes the name and keeps the rest', async () => {
  const { id } = (await partner()).body
  const changed = await api.call(operation, { path: { id }, body: { display_name: 'Other' } })
  expect(changed.status).toBe(200)
  expect(changed.body).toMatchObject({ display_name: 'Other', state: 'ENABLED' })
  expect(changed.headers.get('etag')).toBe('"2"')
})

test('200 disables a partner with its clients, and enables it again', async () => {
  const { id } = (await partner()).body
  const { directory } = api.gateway
  const made = await api.call('createGatehouseV1PartnerClient', {
    path: { partner_id: id },
    body: { display_name: 'client' },
  })
  const stateNow = async () => (await directory.findPartnerClient(made.body.id))?.partnerState
  const disabled = await api.call(operation, { path: { id }, body: { state: 'DISABLED' } })
  expect(disabled.body['state']).toBe('DISABLED')
  expect(await stateNow()).toBe('disabled')
  const enabled = await api.call(operation, { path: { id }, body: { state: 'ENABLED' } })
  expect(enabled.body['state']).toBe('ENABLED')
  expect(await stateNow()).toBe('enabled')
  const events = await directory.auditEvents.list(undefined, { limit: 2 }, { subjectId: id })
  expect(events.map(({ action }) => action)).toEqual(['partner.enabled', 'partner.disabled'])
})

test('400 is for a body that is no JSON object, 415 for one of another type', async () => {
  const path = { id: (await partner()).body.id }
  expect((await api.call(operation, { path, body: '[1]' })).status).toBe(400)
  const headers = { 'content-type': 'text/plain' }
  expect((await api.call(operation, { path, body: '{}', headers })).status).toBe(415)
})

test('404 is for an id that no partner has', async () => {
  expect((await api.call(operation, { path: { id: 'partner-none' }, body: {} })).status).toBe(404)
})

test('412 keeps a partner that has another version, and 200 is for the version that it has', async () => {
  const made = await partner()
  const path = { id: made.body.id }
  const headers = { 'if-match': made.headers.get('etag') ?? '' }
  const body = { display_name: 'First' }
  expect((await api.call(operation, { path, body, headers })).status).toBe(200)
  const second = { path, body: { display_name: 'Second' }, headers }
  expect((await api.call(operation, second)).status).toBe(412)
  expect((await api.call('getGatehouseV1Partner', { path })).body['display_name']).toBe('First')
})

test('422 lists the members that are not as they must be', async () => {
  const path = { id: (await partner()).body.id }
  const body = { display_name: '', state: 'GONE' }
  const { status, body: answer } = await api.call(operation, { path, body })
  expect(status).toBe(422)
  expect(answer.error.fields?.map(({ pointer }) => pointer)).toEqual(['/display_name', '/state'])
})

test('403 is for the administrator of a customer, and nothing is changed', async () => {
  const made = await partner()
  const path = { id: made.body.id }
  const { authorization } = api.stranger
  const body = { state: 'DISABLED' }
  expect((await api.call(operation, { path, body, authorization })).status).toBe(403)
  expect((await api.call('getGatehouseV1Partner', { path })).body).toEqual(made.body)
})
