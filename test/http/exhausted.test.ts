import { expect, test } from 'vitest'
import { useApi } from '../support/api.ts'
import { operations } from '../support/api-documents.ts'

const api = useApi({ user: { requests: 1, windowSeconds: 600 } })

test('429 says how long to wait, whatever the operation, once a limit is exhausted', async () => {
  expect((await api.call('listIamV2Users')).status).toBe(200)
  for (const { operationId, bodyProblems } of operations.values()) {
    const body = bodyProblems === undefined ? {} : { body: {} }
    expect((await api.call(operationId, body)).status, operationId).toBe(429)
  }
})
