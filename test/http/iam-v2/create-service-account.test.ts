import { expect, test } from 'vitest'
import { publicOrigin, useApi } from '../../support/api.ts'

const operation = 'createIamV2ServiceAccount'
const api = useApi()

test('201 answers the account in the object model, with its address and its version', async () => {
  const body = { display_name: 'deploy', description: 'Deploys.', of_the_future: true }
  const made = await api.call(operation, { body })
  expect(made.status).toBe(201)
  const { id } = made.body
  expect(id).toMatch(/^sa-/)
  const { organizationId } = api.gateway
  expect(made.body).toEqual({
    api_version: 'iam/v2',
    kind: 'ServiceAccount',
    id,
    metadata: {
      self: `${publicOrigin}/iam/v2/service-accounts/${id}`,
      resource_name: `crn://confluent.cloud/organization=${organizationId}/service-account=${id}`,
      created_at: made.body.metadata['created_at'],
      updated_at: made.body.metadata['created_at'],
    },
    display_name: 'deploy',
    description: 'Deploys.',
  })
  expect(made.headers.get('location')).toBe(made.body.metadata['self'])
  expect(made.headers.get('etag')).toBe('"1"')
  expect(made.headers.get('cache-control')).toBe('no-store')
})

test('201 is in the audit, with who made what and from where', async () => {
  const made = await api.call(operation, { body: { display_name: 'audited' } })
  const { directory, organizationId, userId } = api.gateway
  const filter = { subjectId: made.body.id }
  const [event] = await directory.auditEvents.list(organizationId, { limit: 1 }, filter)
  expect(event).toMatchObject({
    action: 'service-account.created',
    actorId: userId,
    requestId: made.headers.get('x-request-id'),
    address: '127.0.0.1',
    before: undefined,
    after: { id: made.body.id, display_name: 'audited' },
  })
})

test('409 names the account that has the name; another organization may have it too', async () => {
  const body = { display_name: 'twin' }
  const first = await api.call(operation, { body })
  const second = await api.call(operation, { body })
  expect(second.status).toBe(409)
  expect(second.body.error.code).toBe('CONFLICT')
  expect(second.headers.get('location')).toBe(first.body.metadata['self'])
  const { authorization } = api.stranger
  expect((await api.call(operation, { body, authorization })).status).toBe(201)
})

test.each([
  [{}, '/display_name'],
  [{ display_name: '' }, '/display_name'],
  [{ display_name: 'x'.repeat(256) }, '/display_name'],
  [{ display_name: 'a\0b' }, '/display_name'],
  [{ display_name: ['a'] }, '/display_name'],
  [{ display_name: 'long', description: 'x'.repeat(1001) }, '/description'],
])('422 lists the member of %j that is not as it must be', async (body, pointer) => {
  const { status, body: answer } = await api.call(operation, { body })
  expect(status).toBe(422)
  expect(answer.error.fields).toEqual([expect.objectContaining({ pointer })])
})
