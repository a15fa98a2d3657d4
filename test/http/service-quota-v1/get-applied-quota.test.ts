import { expect, test } from 'vitest'
import { useQuotas } from '../support/quotas.ts'

const operation = 'getServiceQuotaV1AppliedQuota'
const api = useQuotas()

test('200 shows a quota as the list does', async () => {
  const { status, body } = await api.call(operation, { path: { id: 'clusters' } })
  expect(status).toBe(200)
  const query = { scope: 'ORGANIZATION', id: 'clusters' }
  const listed = await api.call('listServiceQuotaV1AppliedQuotas', { query })
  expect(listed.body.data).toEqual([body])
})

test.each(['shadowed', 'none', 'toString'])(
  '404 is for what is no quota, or refuses nothing: %s',
  async (id) => {
    const { status, body } = await api.call(operation, { path: { id } })
    expect(status).toBe(404)
    expect(body.error.code).toBe('RESOURCE_NOT_FOUND')
  },
)
