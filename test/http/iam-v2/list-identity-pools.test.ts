import { expect, test } from 'vitest'
import { useApi } from '../../support/api.ts'
import { newPlace } from '../support/collection.ts'
import { identityPools } from '../support/collections.ts'
import { describeList } from '../support/list.ts'

const api = useApi()

describeList(api, identityPools)

test('404 for a provider that is another organization’s, and for none', async () => {
  const { path: theirs } = await newPlace(api, identityPools, api.stranger)
  for (const path of [theirs, { provider_id: 'op-none' }])
    expect((await api.call('listIamV2IdentityPools', { path })).status).toBe(404)
})
