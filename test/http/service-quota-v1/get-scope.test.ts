import { expect, test } from 'vitest'
import { useQuotas } from '../support/quotas.ts'

const operation = 'getServiceQuotaV1Scope'
const api = useQuotas()

test('200 shows a scope as the list does', async () => {
  const { data } = (await api.call('listServiceQuotaV1Scopes')).body
  for (const scope of data) {
    const { status, body } = await api.call(operation, { path: { id: scope.id } })
    expect([status, body]).toEqual([200, scope])
  }
})

test('404 is for a scope that no quota has', async () => {
  expect((await api.call(operation, { path: { id: 'ENVIRONMENT' } })).status).toBe(404)
})
