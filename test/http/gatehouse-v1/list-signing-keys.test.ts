import { expect, test } from 'vitest'
import { useGovernance } from '../../support/governance.ts'

const operation = 'listGatehouseV1SigningKeys'
const api = useGovernance()

test('200 lists the key that signs and the next one, page by page, never a private one', async () => {
  const { status, body } = await api.call(operation)
  expect(status).toBe(200)
  expect(body.data.map((key) => key['state']).toSorted()).toEqual(['CURRENT', 'NEXT'])
  for (const key of body.data) expect(key['public_jwk']).not.toHaveProperty('d')
  const first = await api.call(operation, { query: { page_size: '1' } })
  const second = await api.follow(operation, first.body.metadata['next'])
  expect([...first.body.data, ...second.body.data]).toEqual(body.data)
  expect((await api.follow(operation, body.metadata['last'])).body.data).toEqual(body.data)
})

test('400 refuses a page that is none of ours', async () => {
  expect((await api.call(operation, { query: { page_token: 'forged' } })).status).toBe(400)
})

test('403 is for the administrator of a customer', async () => {
  const { authorization } = api.stranger
  expect((await api.call(operation, { authorization })).status).toBe(403)
})
