import { expect, test } from 'vitest'
import { useGovernance } from '../../support/governance.ts'

const operation = 'rotateGatehouseV1SigningKeys'
const api = useGovernance()

async function keys(): Promise<Readonly<Record<string, string>>> {
  const { body } = await api.call('listGatehouseV1SigningKeys')
  return Object.fromEntries(body.data.map((key) => [String(key['state']), key.id]))
}

test('409 is for a next key that was published too short a time ago', async () => {
  const before = await keys()
  expect((await api.call(operation)).status).toBe(409)
  expect((await api.call(operation, { body: { force: false } })).status).toBe(409)
  expect(await keys()).toEqual(before)
})

test('403 is for the administrator of a customer, by force too', async () => {
  const before = await keys()
  const { authorization } = api.stranger
  const body = { force: true }
  expect((await api.call(operation, { body, authorization })).status).toBe(403)
  expect(await keys()).toEqual(before)
})

test('200 has the next key take over by force, and says who did it', async () => {
  const before = await keys()
  const { status, body, headers } = await api.call(operation, { body: { force: true } })
  expect(status).toBe(200)
  expect(body).toMatchObject({ id: before['NEXT'], state: 'CURRENT' })
  expect((await keys())['CURRENT']).toBe(before['NEXT'])
  const filter = { action: 'signing-key.became-current', subjectId: body.id }
  const [event] = await api.gateway.directory.auditEvents.list(undefined, { limit: 1 }, filter)
  expect(event).toMatchObject({
    actorId: api.gateway.userId,
    requestId: headers.get('x-request-id'),
  })
})

test('400, 415 and 422 are for bodies that are not as they must be', async () => {
  expect((await api.call(operation, { body: '{' })).status).toBe(400)
  const headers = { 'content-type': 'text/plain' }
  expect((await api.call(operation, { body: '{}', headers })).status).toBe(415)
  expect((await api.call(operation, { body: { force: 'yes' } })).status).toBe(422)
})
