import { expect, test } from 'vitest'
import { useGovernance } from '../../support/governance.ts'

const operation = 'getGatehouseV1AccessGrant'
const api = useGovernance()

async function grant(id: string) {
  const body = { name: 'early/v1', organization: { id } }
  return (await api.call('createGatehouseV1AccessGrant', { body })).body
}

test('200 answers a grant to its organization and to operators, and 404 to others', async () => {
  const { authorization, organizationId } = api.stranger
  const ours = await grant(api.gateway.organizationId)
  const theirs = await grant(organizationId)
  const path = { id: theirs.id }
  expect((await api.call(operation, { path })).body).toEqual(theirs)
  expect((await api.call(operation, { path, authorization })).body).toEqual(theirs)
  const foreign = { path: { id: ours.id }, authorization }
  expect((await api.call(operation, foreign)).status).toBe(404)
  expect((await api.call(operation, { path: { id: 'grant-none' } })).status).toBe(404)
})
