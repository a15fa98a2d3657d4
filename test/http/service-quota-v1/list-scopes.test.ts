import { expect, test } from 'vitest'
import { useQuotas } from '../support/quotas.ts'

const operation = 'listServiceQuotaV1Scopes'
const api = useQuotas()

test('200 lists what quotas are counted for, page by page', async () => {
  const { status, body } = await api.call(operation)
  expect(status).toBe(200)
  expect(body.data.map(({ id }) => id)).toEqual(['ORGANIZATION', 'USER_ACCOUNT'])
  const first = await api.call(operation, { query: { page_size: '1' } })
  const second = await api.follow(operation, first.body.metadata['next'])
  expect([...first.body.data, ...second.body.data]).toEqual(body.data)
})

test('400 refuses a page that is none of ours', async () => {
  expect((await api.call(operation, { query: { page_token: 'forged' } })).status).toBe(400)
})
