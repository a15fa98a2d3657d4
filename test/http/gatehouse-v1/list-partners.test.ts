import { expect, test } from 'vitest'
import { useGovernance } from '../../support/governance.ts'

const operation = 'listGatehouseV1Partners'
const api = useGovernance()

test('200 pages through every partner once, forwards and backwards', async () => {
  const made = await Promise.all(
    ['a', 'b', 'c'].map((name) =>
      api.call('createGatehouseV1Partner', { body: { display_name: name } }),
    ),
  )
  const ids = made.map(({ body }) => body.id).toSorted()
  const first = await api.call(operation, { query: { page_size: '2' } })
  expect(first.body.metadata['total_size']).toBe(3)
  const second = await api.follow(operation, first.body.metadata['next'])
  expect([...first.body.data, ...second.body.data].map(({ id }) => id)).toEqual(ids)
  expect(second.body.metadata['next']).toBeUndefined()
  const back = await api.follow(operation, second.body.metadata['prev'])
  expect(back.body.data).toEqual(first.body.data)
})

test('200 finds a partner by its name', async () => {
  const { body } = await api.call(operation, { query: { display_name: 'b' } })
  expect(body.data).toMatchObject([{ display_name: 'b' }])
})

test('400 refuses a page that is none of ours', async () => {
  expect((await api.call(operation, { query: { page_token: 'forged' } })).status).toBe(400)
  expect((await api.call(operation, { query: { page_size: '101' } })).status).toBe(400)
})

test('403 is for the administrator of a customer', async () => {
  const { authorization } = api.stranger
  expect((await api.call(operation, { authorization })).status).toBe(403)
})
