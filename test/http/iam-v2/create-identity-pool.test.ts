import { expect, test } from 'vitest'
import { useApi } from '../../support/api.ts'
import { newPlace } from '../support/collection.ts'
import { identityPools } from '../support/collections.ts'
import { describeCreate } from '../support/create.ts'

const api = useApi()
const good = { display_name: 'a', identity_claim: 'claims.sub', filter: 'true' }

describeCreate(api, identityPools, {
  address: ({ provider_id: id }) => `/iam/v2/identity-providers/${id}/identity-pools`,
  name: ({ provider_id: id }) => `identity-provider=${id}/identity-pool`,
  shown: { state: 'ENABLED' },
  refused: [
    [{}, '/display_name', '/identity_claim', '/filter'],
    [{ ...good, filter: '' }, '/filter'],
    [{ ...good, filter: 'claims.sub ==' }, '/filter'],
    [{ ...good, filter: 'secrets.sub == "a"' }, '/filter'],
    [{ ...good, identity_claim: 'claims.' }, '/identity_claim'],
  ],
})

test('422 refuses a filter that lets in every customer of an issuer that many share', async () => {
  const shared = { display_name: 'a', issuer: 'https://accounts.google.com' }
  const provider = await api.call('createIamV2IdentityProvider', { body: shared })
  const path = { provider_id: provider.body.id }
  const { status, body } = await api.call('createIamV2IdentityPool', { path, body: good })
  expect(status).toBe(422)
  expect(body.error.fields).toEqual([expect.objectContaining({ pointer: '/filter' })])
  const pinned = { ...good, filter: 'claims.sub == "1234"' }
  expect((await api.call('createIamV2IdentityPool', { path, body: pinned })).status).toBe(201)
})

test('404 for a provider that is another organization’s, and for none', async () => {
  const { path: theirs } = await newPlace(api, identityPools, api.stranger)
  for (const path of [theirs, { provider_id: 'op-none' }])
    expect((await api.call('createIamV2IdentityPool', { path, body: good })).status).toBe(404)
})
