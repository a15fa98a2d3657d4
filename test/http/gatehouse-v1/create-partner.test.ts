import { expect, test } from 'vitest'
import { publicOrigin } from '../../support/api.ts'
import { useGovernance } from '../../support/governance.ts'

const operation = 'createGatehouseV1Partner'
const api = useGovernance()

test('201 answers the partner, which belongs to no organization', async () => {
  const made = await api.call(operation, { body: { display_name: 'Acme' } })
  expect(made.status).toBe(201)
  const { id } = made.body
  expect(id).toMatch(/^partner-/)
  expect(made.body).toMatchObject({
    kind: 'Partner',
    metadata: {
      self: `${publicOrigin}/gatehouse/v1/partners/${id}`,
      resource_name: `crn://confluent.cloud/partner=${id}`,
    },
    display_name: 'Acme',
    state: 'ENABLED',
  })
  expect(made.headers.get('location')).toBe(made.body.metadata['self'])
  expect(made.headers.get('etag')).toBe('"1"')
  const filter = { subjectId: id }
  const [event] = await api.gateway.directory.auditEvents.list(undefined, { limit: 1 }, filter)
  expect(event).toMatchObject({
    action: 'partner.created',
    actorId: api.gateway.userId,
    requestId: made.headers.get('x-request-id'),
    after: { display_name: 'Acme' },
  })
})

test('403 is for the administrator of a customer, and nothing is made', async () => {
  const before = await api.gateway.directory.partners.count()
  const { authorization } = api.stranger
  const refused = await api.call(operation, { body: { display_name: 'Own' }, authorization })
  expect(refused.status).toBe(403)
  expect(refused.body.error.code).toBe('ACCESS_DENIED')
  expect(await api.gateway.directory.partners.count()).toBe(before)
})

test.each([[{}], [{ display_name: '' }], [{ display_name: 'x'.repeat(256) }]])(
  '422 lists the member of %j that is not as it must be',
  async (body) => {
    const { status, body: answer } = await api.call(operation, { body })
    expect(status).toBe(422)
    expect(answer.error.fields).toEqual([expect.objectContaining({ pointer: '/display_name' })])
  },
)
