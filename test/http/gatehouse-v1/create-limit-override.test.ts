import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { useGovernance } from '../../support/governance.ts'

const operation = 'createGatehouseV1LimitOverride'
const api = useGovernance()

test('201 gives an organization, a principal and a partner another limit, at once', async () => {
  const { organizationId, userId } = api.stranger
  const partner = await api.call('createGatehouseV1Partner', { body: { display_name: 'Acme' } })
  const limitName = 'standard.user.requests'
  const organization = { id: organizationId }
  const limitOf = (owner: string, principal?: string) =>
    api.gateway.directory.limitOverrideFinder()(owner, principal, limitName)
  const wanted = { limit_name: limitName, limit: 7 }
  const made = await api.call(operation, { body: { organization, ...wanted } })
  expect(made.status).toBe(201)
  expect(made.body).toMatchObject({ organization, ...wanted })
  expect(made.body.metadata['resource_name']).toContain(organizationId)
  expect(limitOf(organizationId, userId)).toBe(7)
  const principal = { id: userId }
  const own = { organization, principal, ...wanted, limit: 9 }
  expect((await api.call(operation, { body: own })).body).toMatchObject(own)
  expect([limitOf(organizationId), limitOf(organizationId, userId)]).toEqual([7, 9])
  const theirs = { partner: { id: partner.body.id }, ...wanted }
  expect((await api.call(operation, { body: theirs })).body).toMatchObject(theirs)
  expect(limitOf(partner.body.id)).toBe(7)
})

test('403 is for a customer’s administrator, and the limit stays', async () => {
  const { authorization, organizationId } = api.stranger
  const body = { organization: { id: organizationId }, limit_name: 'own', limit: 1_000_000 }
  expect((await api.call(operation, { body, authorization })).status).toBe(403)
  const find = api.gateway.directory.limitOverrideFinder()
  expect(find(organizationId, undefined, 'own')).toBeUndefined()
})

test('409 names the override that is there already', async () => {
  const body = { organization: { id: api.stranger.organizationId }, limit_name: 'twice', limit: 1 }
  const first = await api.call(operation, { body })
  const second = await api.call(operation, { body: { ...body, limit: 2 } })
  expect(second.status).toBe(409)
  expect(second.headers.get('location')).toBe(first.body.metadata['self'])
})

test.each([
  [{}, ['/limit_name', '/limit']],
  [{ limit_name: 'x', limit: 1 }, ['/organization']],
  [{ organization: { id: randomUUID() }, limit_name: 'x', limit: 0 }, ['/limit']],
  [{ organization: { id: randomUUID() }, limit_name: 'x', limit: 1 }, ['/organization/id']],
  [{ partner: { id: 'partner-none' }, limit_name: 'x', limit: 1 }, ['/partner/id']],
])('422 lists the members of %j that are not as they must be', async (body, pointers) => {
  const { status, body: answer } = await api.call(operation, { body })
  expect(status).toBe(422)
  expect(answer.error.fields?.map(({ pointer }) => pointer)).toEqual(pointers)
})
