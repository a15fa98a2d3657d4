import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { useGovernance } from '../../support/governance.ts'

const operation = 'createGatehouseV1AccessGrant'
const api = useGovernance()

test('201 opens what is in Early Access to the organization that is named', async () => {
  const { organizationId } = api.stranger
  const body = { name: 'Partner v2', organization: { id: organizationId } }
  const made = await api.call(operation, { body })
  expect(made.status).toBe(201)
  expect(made.body).toMatchObject({ kind: 'AccessGrant', ...body })
  const { directory } = api.gateway
  expect(await directory.findGrants(organizationId)).toEqual(new Set(['Partner v2']))
  expect(await directory.findGrants(api.gateway.organizationId)).toEqual(new Set())
  const filter = { subjectId: made.body.id }
  const [event] = await directory.auditEvents.list(organizationId, { limit: 1 }, filter)
  expect(event).toMatchObject({ action: 'access-grant.created', actorId: api.gateway.userId })
})

test('403 is for a customer’s administrator who grants to the own organization or another', async () => {
  const { authorization, organizationId } = api.stranger
  const { directory } = api.gateway
  for (const id of [organizationId, api.gateway.organizationId]) {
    const before = await directory.accessGrants.count(id)
    const body = { name: 'taken', organization: { id } }
    expect((await api.call(operation, { body, authorization })).status).toBe(403)
    expect(await directory.accessGrants.count(id)).toBe(before)
  }
})

test('409 names the grant that the organization has already', async () => {
  const body = { name: 'twice', organization: { id: api.stranger.organizationId } }
  const first = await api.call(operation, { body })
  const second = await api.call(operation, { body })
  expect(second.status).toBe(409)
  expect(second.headers.get('location')).toBe(first.body.metadata['self'])
})

test.each([
  [{}, ['/name', '/organization']],
  [{ name: 'x', organization: { id: 'none' } }, ['/organization/id']],
  [{ name: 'x', organization: { id: randomUUID() } }, ['/organization/id']],
  [{ name: 'x'.repeat(256), organization: { id: randomUUID() } }, ['/name']],
])('422 lists the members of %j that are not as they must be', async (body, pointers) => {
  const { status, body: answer } = await api.call(operation, { body })
  expect(status).toBe(422)
  expect(answer.error.fields?.map(({ pointer }) => pointer)).toEqual(pointers)
})
