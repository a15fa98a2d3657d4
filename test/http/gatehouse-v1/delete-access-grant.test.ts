import { expect, test } from 'vitest'
import { useGovernance } from '../../support/governance.ts'

const operation = 'deleteGatehouseV1AccessGrant'
const api = useGovernance()

async function grant() {
  const body = { name: 'early/v1', organization: { id: api.stranger.organizationId } }
  return { id: (await api.call('createGatehouseV1AccessGrant', { body })).body.id }
}

test('204 closes at once what the grant opened', async () => {
  const path = await grant()
  const { directory } = api.gateway
  expect(await directory.findGrants(api.stranger.organizationId)).toEqual(new Set(['early/v1']))
  expect((await api.call(operation, { path })).status).toBe(204)
  expect(await directory.findGrants(api.stranger.organizationId)).toEqual(new Set())
  expect((await api.call(operation, { path })).status).toBe(404)
})

test('403 is for the administrator of the organization that has the grant', async () => {
  const path = await grant()
  const { authorization } = api.stranger
  expect((await api.call(operation, { path, authorization })).status).toBe(403)
  expect((await api.call('getGatehouseV1AccessGrant', { path })).status).toBe(200)
})
