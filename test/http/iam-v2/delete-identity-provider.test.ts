import { expect, test } from 'vitest'
import { useApi } from '../../support/api.ts'
import { administrator, make, newPlace } from '../support/collection.ts'
import { identityPools, identityProviders, roleBindings } from '../support/collections.ts'
import { describeDelete, describeDeleteOfVersion } from '../support/delete.ts'

const api = useApi()

describeDelete(api, identityProviders)
describeDeleteOfVersion(api, identityProviders)

test('204 takes the pools and their role bindings along', async () => {
  const place = await newPlace(api, identityPools)
  const pool = await make(api, identityPools, place)
  const binding = roleBindings.body('*', administrator(api))
  const body = { ...binding, principal: `User:${pool.id}` }
  const bound = await api.call('createIamV2RoleBinding', { body })
  const provider = { id: place.path['provider_id'] ?? '' }
  const removed = await api.call('deleteIamV2IdentityProvider', { path: provider })
  expect(removed.status).toBe(204)
  const path = { ...place.path, id: pool.id }
  expect((await api.call('getIamV2IdentityPool', { path })).status).toBe(404)
  expect((await api.call('listIamV2IdentityPools', { path })).status).toBe(404)
  const bindingPath = { id: bound.body.id }
  expect((await api.call('getIamV2RoleBinding', { path: bindingPath })).status).toBe(404)
  expect(await api.gateway.directory.findPool(pool.id)).toBeUndefined()
})
