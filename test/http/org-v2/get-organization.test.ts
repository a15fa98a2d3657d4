import { expect, test } from 'vitest'
import { publicOrigin, useApi } from '../../support/api.ts'
import { crnOf } from '../support/crn-of.ts'

const operation = 'getOrgV2Organization'
const api = useApi()

test('200 shows the caller’s organization in the object model', async () => {
  const { organizationId: id } = api.gateway
  const { status, body } = await api.call(operation, { path: { id } })
  expect(status).toBe(200)
  expect(body).toMatchObject({
    id,
    display_name: 'Test',
    metadata: { self: `${publicOrigin}/org/v2/organizations/${id}`, resource_name: crnOf(id) },
  })
})

test('404 is the same for another organization, for none, and for what is no id', async () => {
  const none = '00000000-0000-4000-8000-000000000000'
  for (const id of [api.stranger.organizationId, none, 'none'])
    expect((await api.call(operation, { path: { id } })).status).toBe(404)
})
