import { expect, test } from 'vitest'
import { useApi } from '../../support/api.ts'
import { administrator, make, newPlace } from '../support/collection.ts'
import { roleBindings, serviceAccounts } from '../support/collections.ts'
import { describeFilter, describeList } from '../support/list.ts'

const api = useApi()

describeList(api, roleBindings)
describeFilter(api, roleBindings, 'crn_pattern', (made) => String(made['crn_pattern']))

test('200 shows the bindings of one principal, and to one role, alone', async () => {
  const account = await make(api, serviceAccounts, await newPlace(api, serviceAccounts))
  const principal = `User:${account.id}`
  const body = { ...roleBindings.body('*', administrator(api)), principal }
  const { id } = (await api.call('createIamV2RoleBinding', { body })).body
  const ids = async (query: Readonly<Record<string, string>>) =>
    (await api.call('listIamV2RoleBindings', { query })).body.data.map((found) => found.id)
  expect(await ids({ principal })).toEqual([id])
  expect(await ids({ principal, role_name: 'OrganizationAdmin' })).toEqual([id])
  expect(await ids({ principal, role_name: 'Emperor' })).toEqual([])
})

test('400 refuses a principal that does not say what it is', async () => {
  const { status, body } = await api.call('listIamV2RoleBindings', { query: { principal: 'u-1' } })
  expect(status).toBe(400)
  expect(body.error.fields).toEqual([expect.objectContaining({ parameter: 'principal' })])
})
