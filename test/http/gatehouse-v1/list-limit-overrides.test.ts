import { expect, test } from 'vitest'
import { useGovernance } from '../../support/governance.ts'

const operation = 'listGatehouseV1LimitOverrides'
const api = useGovernance()

test('200 lists the overrides of one organization alone, page by page', async () => {
  const organization = api.stranger.organizationId
  for (const limit_name of ['a', 'b', 'c']) {
    const body = { organization: { id: organization }, limit_name, limit: 5 }
    await api.call('createGatehouseV1LimitOverride', { body })
  }
  const first = await api.call(operation, { query: { organization, page_size: '2' } })
  expect(first.body.metadata['total_size']).toBe(3)
  const second = await api.follow(operation, first.body.metadata['next'])
  const names = [...first.body.data, ...second.body.data].map((each) => each['limit_name'])
  expect(names.toSorted()).toEqual(['a', 'b', 'c'])
  const back = await api.follow(operation, second.body.metadata['prev'])
  expect(back.body.data).toEqual(first.body.data)
  expect((await api.call(operation)).body.data).toEqual([])
})

test('400 is for an owner that cannot be one', async () => {
  expect((await api.call(operation, { query: { organization: 'x' } })).status).toBe(400)
  expect((await api.call(operation, { query: { partner: 'x' } })).status).toBe(400)
})

test('403 is for the administrator of a customer, about the own organization too', async () => {
  const { authorization } = api.stranger
  expect((await api.call(operation, { authorization })).status).toBe(403)
})
