import { expect, test } from 'vitest'
import { useGovernance } from '../../support/governance.ts'
import { administrator, at, make, newPlace } from '../support/collection.ts'
import { resources } from '../support/collections.ts'
import { describeUpdate } from '../support/update.ts'

const operation = 'updateGatehouseV1Resource'
const api = useGovernance()

describeUpdate(api, resources, {
  change: (unique) => ({ display_name: unique }),
  cleared: { patch: { display_name: null }, shown: { display_name: '' } },
  refused: [
    [{ display_name: 'x'.repeat(256) }, '/display_name'],
    [{ resource: { id: 'other' } }, '/resource'],
    [{ resource: { kind: 'other' } }, '/resource'],
    [{ resource: { environment: null } }, '/resource'],
    [{ resource: null }, '/resource'],
  ],
})

test('200 leaves the keys that open the resource as they are', async () => {
  const made = await make(api, resources, await newPlace(api, resources))
  const { kind: resourceKind, id, environment } = made['resource'] as ResourceName
  const named = { kind: 'resource', resourceKind, id, environment: environment.id } as const
  const { directory, userId } = api.gateway
  const key = await directory.apiKeys.create({ ownerId: userId, resource: named }, { id: 'test' })
  const path = { id: made.id }
  expect((await api.call(operation, { path, body: { display_name: 'Other' } })).status).toBe(200)
  expect((await directory.findApiKey(key.id))?.resource).toEqual(named)
})

test('400 and 415 are for bodies that cannot be read, and nothing is changed', async () => {
  const place = { whose: administrator(api), path: {} }
  const made = await make(api, resources, place)
  const target = at(place, made)
  expect((await api.call(operation, { ...target, body: '[1]' })).status).toBe(400)
  const headers = { 'content-type': 'text/plain' }
  expect((await api.call(operation, { ...target, body: '{}', headers })).status).toBe(415)
  expect((await api.call('getGatehouseV1Resource', target)).body).toEqual(made)
})

type ResourceName = {
  readonly kind: string
  readonly id: string
  readonly environment: { readonly id: string }
}
