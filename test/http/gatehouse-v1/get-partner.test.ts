import { expect, test } from 'vitest'
import { useGovernance } from '../../support/governance.ts'

const operation = 'getGatehouseV1Partner'
const api = useGovernance()

test('200 answers the partner with its version', async () => {
  const made = await api.call('createGatehouseV1Partner', { body: { display_name: 'Acme' } })
  const { id } = made.body
  const { status, body, headers } = await api.call(operation, { path: { id } })
  expect(status).toBe(200)
  expect(body).toEqual(made.body)
  expect(headers.get('etag')).toBe(made.headers.get('etag'))
})

test('404 is for an id that no partner has', async () => {
  expect((await api.call(operation, { path: { id: 'partner-none' } })).status).toBe(404)
})

test('403 is for the administrator of a customer, whether the partner exists or not', async () => {
  const made = await api.call('createGatehouseV1Partner', { body: { display_name: 'Acme' } })
  const { authorization } = api.stranger
  for (const id of [made.body.id, 'partner-none']) {
    expect((await api.call(operation, { path: { id }, authorization })).status).toBe(403)
  }
})
