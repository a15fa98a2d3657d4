import { expect, test } from 'vitest'
import { useApi } from '../../support/api.ts'
import { administrator, audited } from '../support/collection.ts'

const operation = 'updateOrgV2Organization'
const api = useApi()

test('200 changes the name of the caller’s organization, and the audit has it', async () => {
  const path = { id: api.gateway.organizationId }
  const body = { display_name: 'Renamed', jit_enabled: true }
  const changed = await api.call(operation, { path, body })
  expect(changed.status).toBe(200)
  expect(changed.body).toMatchObject({ id: path.id, display_name: 'Renamed' })
  const read = await api.call('getOrgV2Organization', { path })
  expect(read.body).toEqual(changed.body)
  expect(read.headers.get('etag')).toBe(changed.headers.get('etag'))
  expect((await audited(api, administrator(api), path))[0]).toBe('organization.updated')
})

test('of two callers who change the same version one wins, and the other is answered 412', async () => {
  const path = { id: api.gateway.organizationId }
  const tag = (await api.call('getOrgV2Organization', { path })).headers.get('etag') ?? ''
  const headers = { 'if-match': tag }
  const answers = await Promise.all(
    ['One', 'Two'].map((display_name) =>
      api.call(operation, { path, headers, body: { display_name } }),
    ),
  )
  expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 412])
})

test.each(['', null, 'x'.repeat(256)])('422 refuses the name %j', async (display_name) => {
  const path = { id: api.gateway.organizationId }
  const { status, body } = await api.call(operation, { path, body: { display_name } })
  expect(status).toBe(422)
  expect(body.error.fields).toEqual([expect.objectContaining({ pointer: '/display_name' })])
})

test('404 for another organization, which stays as it is, and for none', async () => {
  const { organizationId, authorization } = api.stranger
  for (const id of [organizationId, 'none']) {
    const body = { display_name: 'Stolen' }
    expect((await api.call(operation, { path: { id }, body })).status).toBe(404)
  }
  const path = { id: organizationId }
  const { body } = await api.call('getOrgV2Organization', { path, authorization })
  expect(body).toMatchObject({ display_name: 'Strangers' })
})
