import { expect, test } from 'vitest'
import type { Api } from '../../support/api.ts'
import { basic } from '../../support/basic.ts'
import { administrator, at, make, newPlace, type TestedCollection } from './collection.ts'
import { roleBindings } from './collections.ts'

/** What goes with whoever owns keys. */
export function describeDeleteOfOwner(api: Api, tested: TestedCollection): void {
  test('204 takes the keys and the role bindings along, which open nothing from then on', async () => {
    const place = await newPlace(api, tested)
    const owner = await make(api, tested, place)
    const binding = roleBindings.body('*', administrator(api))
    const bound = await api.call('createIamV2RoleBinding', {
      body: { ...binding, principal: `User:${owner.id}` },
    })
    const spec = { owner: { id: owner.id } }
    const key = await api.call('createIamV2ApiKey', { body: { spec } })
    const { secret } = key.body['spec'] as { secret: string }
    const authorization = basic(key.body.id, secret)
    // Known, and not allowed to see anything.
    expect((await api.call('listIamV2Users', { authorization })).status).toBe(403)
    expect((await api.call(`delete${tested.one}`, at(place, owner))).status).toBe(204)
    expect((await api.call('listIamV2Users', { authorization })).status).toBe(401)
    const [keyPath, bindingPath] = [{ id: key.body.id }, { id: bound.body.id }]
    expect((await api.call('getIamV2ApiKey', { path: keyPath })).status).toBe(404)
    expect((await api.call('getIamV2RoleBinding', { path: bindingPath })).status).toBe(404)
  })
}
