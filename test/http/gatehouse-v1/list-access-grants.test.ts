import { expect, test } from 'vitest'
import { useGovernance } from '../../support/governance.ts'

const operation = 'listGatehouseV1AccessGrants'
const api = useGovernance()

async function grant(name: string, id: string) {
  return api.call('createGatehouseV1AccessGrant', { body: { name, organization: { id } } })
}

test('200 lists what the caller’s organization is granted, or for operators another', async () => {
  const { authorization, organizationId } = api.stranger
  await grant('ours', api.gateway.organizationId)
  const theirs = await grant('theirs', organizationId)
  const namesOf = async (request: object) =>
    (await api.call(operation, request)).body.data.map((each) => each['name'])
  expect(await namesOf({})).toEqual(['ours'])
  expect(await namesOf({ authorization })).toEqual(['theirs'])
  expect(await namesOf({ query: { organization: organizationId } })).toEqual(['theirs'])
  expect(await namesOf({ query: { organization: organizationId, name: 'ours' } })).toEqual([])
  const all = await api.call(operation, { authorization })
  expect(all.body.data).toEqual([theirs.body])
})

test('400 is for an organization that cannot be one', async () => {
  expect((await api.call(operation, { query: { organization: 'ours' } })).status).toBe(400)
})

test('403 is for a customer’s administrator who asks about another organization', async () => {
  const { authorization } = api.stranger
  const query = { organization: api.gateway.organizationId }
  expect((await api.call(operation, { query, authorization })).status).toBe(403)
})
