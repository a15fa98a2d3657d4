import { expect, test } from 'vitest'
import { explanation } from '../../../src/cli/api/explain.ts'

test('people read the operation, what opens it and the limits', () => {
  const text = explanation({
    outcome: 'FOUND',
    operation: { group: 'cmk/v2', method: 'GET', path: '/cmk/v2/clusters', stage: 'preview' },
    opened_by: [
      [{ scheme: 'cloud-api-key', kind: 'cloud-api-key', scopes: [] }],
      [{ scheme: 'oauth', kind: 'partner-access-token', scopes: ['partner:describe'] }],
    ],
    limits: [{ name: 'standard.user.requests', kind: 'fixed', limit: 100, window_seconds: 10 }],
  })
  for (const part of [
    'FOUND',
    'cmk/v2',
    '/cmk/v2/clusters',
    'cloud-api-key',
    'oauth (partner:describe)',
    'standard.user.requests',
  ])
    expect(text).toContain(part)
})

test('what is no operation is told in a line', () => {
  expect(explanation({ outcome: 'NOT_FOUND' }).trim().split('\n')).toHaveLength(1)
})

test('what is open to anybody says so', () => {
  expect(explanation({ outcome: 'FOUND', opened_by: [[]] })).toContain('anybody')
})
