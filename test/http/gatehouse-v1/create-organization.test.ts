import { expect, test } from 'vitest'
import { publicOrigin } from '../../support/api.ts'
import { basic } from '../../support/basic.ts'
import { useGovernance } from '../../support/governance.ts'
import { crnOf } from '../support/crn-of.ts'

const operation = 'createGatehouseV1Organization'
const api = useGovernance()
const wanted = { display_name: 'Tenant', administrator: { email: 'ada@tenant.example' } }

test('201 makes a tenant whose administrator does everything there, and nothing elsewhere', async () => {
  const made = await api.call(operation, { body: wanted })
  expect(made.status).toBe(201)
  const { id } = made.body
  expect(made.body).toMatchObject({
    ...wanted,
    metadata: {
      self: `${publicOrigin}/gatehouse/v1/organizations/${id}`,
      resource_name: crnOf(id),
    },
  })
  const administrator = made.body['administrator'] as { id: string }
  const key = made.body['api_key'] as { id: string; secret: string }
  const authorization = basic(key.id, key.secret)
  const users = await api.call('listIamV2Users', { authorization })
  expect(users.body.data.map((user) => user.id)).toEqual([administrator.id])
  const body = { display_name: 'deployer' }
  const account = await api.call('createIamV2ServiceAccount', { body, authorization })
  expect(account.status).toBe(201)
  expect(account.body.metadata['resource_name']).toContain(id)
  expect((await api.call(operation, { body: wanted, authorization })).status).toBe(403)
  const events = await api.gateway.directory.auditEvents.list(id, { limit: 10 })
  expect(events.map(({ action, actorId }) => [action, actorId])).toContainEqual([
    'organization.created',
    api.gateway.userId,
  ])
  expect(JSON.stringify(events)).not.toContain(key.secret)
})

test('403 is for the administrator of a customer, and nothing is made', async () => {
  const before = await api.gateway.directory.organizations.count()
  const { authorization } = api.stranger
  expect((await api.call(operation, { body: wanted, authorization })).status).toBe(403)
  expect(await api.gateway.directory.organizations.count()).toBe(before)
})

test.each([
  [{}, ['/display_name', '/administrator']],
  [{ display_name: '', administrator: { email: 'x' } }, ['/display_name', '/administrator/email']],
])('422 lists the members of %j that are not as they must be', async (body, pointers) => {
  const { status, body: answer } = await api.call(operation, { body })
  expect(status).toBe(422)
  expect(answer.error.fields?.map(({ pointer }) => pointer)).toEqual(pointers)
})
