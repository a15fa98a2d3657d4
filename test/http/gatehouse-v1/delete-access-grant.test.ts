import { expect, test } from 'vitest'
import { useGovernance } from '../../support/governance.ts'

const operation = 'deleteGatehouseV1AccessGrant'
const api = useGovernance()

async function grant(name = 'early/v1') {
  const body = { name, organization: { id: api.stranger.organizationId } }
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

test('412 keeps a grant that is not the one that is named, 204 is for its own tag', async () => {
  const path = await grant('other/v1')
  const remove = (tag: string) => api.call(operation, { path, headers: { 'if-match': tag } })
  const { headers } = await api.call('getGatehouseV1AccessGrant', { path })
  expect((await remove('"other"')).status).toBe(412)
  expect((await api.call('getGatehouseV1AccessGrant', { path })).status).toBe(200)
  expect((await remove(headers.get('etag') ?? '')).status).toBe(204)
})
