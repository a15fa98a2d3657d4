import { expect, test } from 'vitest'
import { useApi } from '../../support/api.ts'
import { administrator, make, newPlace } from '../support/collection.ts'
import { apiKeys, serviceAccounts } from '../support/collections.ts'
import { describeList } from '../support/list.ts'

const api = useApi()

describeList(api, apiKeys)

test('200 shows the keys of one owner, and those of one resource, alone', async () => {
  const account = await make(api, serviceAccounts, await newPlace(api, serviceAccounts))
  const keyOf = (owner: string, resource: object) =>
    api.call('createIamV2ApiKey', { body: { spec: { owner: { id: owner }, ...resource } } })
  const { userId } = administrator(api)
  const cloud = await keyOf(account.id, {})
  const cluster = await keyOf(account.id, { resource: { id: 'lkc-1' } })
  await keyOf(userId, {})
  const ids = async (query: Readonly<Record<string, string>>) =>
    (await api.call('listIamV2ApiKeys', { query })).body.data.map(({ id }) => id)
  const owner = { 'spec.owner': account.id }
  expect(await ids(owner)).toEqual([cloud.body.id, cluster.body.id].toSorted())
  expect(await ids({ 'spec.resource': 'lkc-1' })).toEqual([cluster.body.id])
  expect(await ids({ ...owner, 'spec.resource': 'cloud' })).toEqual([cloud.body.id])
  expect(await ids({ 'spec.owner': 'u-none' })).toEqual([])
})
