import { expect, test } from 'vitest'
import { useGovernance } from '../../support/governance.ts'

const operation = 'listGatehouseV1Organizations'
const api = useGovernance()

test('200 lists all organizations to operators, page by page in either direction', async () => {
  const { directory, organizationId } = api.gateway
  const { id: third } = await directory.organizations.create({ displayName: 'T' }, { id: 'test' })
  const first = await api.call(operation, { query: { page_size: '2' } })
  expect(first.body.metadata['total_size']).toBe(3)
  const second = await api.follow(operation, first.body.metadata['next'])
  expect(second.body.metadata).not.toHaveProperty('next')
  const ids = [...first.body.data, ...second.body.data].map(({ id }) => id)
  expect(ids.toSorted()).toEqual([organizationId, api.stranger.organizationId, third].toSorted())
  const back = await api.follow(operation, second.body.metadata['prev'])
  expect(back.body.data).toEqual(first.body.data)
  const last = await api.follow(operation, first.body.metadata['last'])
  expect(last.body.data.at(-1)?.id).toBe(ids.at(-1))
})

test('400 is for a page that cannot be, 403 for the administrator of a customer', async () => {
  expect((await api.call(operation, { query: { page_size: '0' } })).status).toBe(400)
  expect((await api.call(operation, { query: { page_token: 'x' } })).status).toBe(400)
  const { authorization } = api.stranger
  expect((await api.call(operation, { authorization })).status).toBe(403)
})
