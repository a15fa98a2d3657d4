import { describe, expect, test } from 'vitest'
import type { ErrorProfile } from '../../src/errors/profile.ts'
import { hasShape, isQuotaExceeded, withRequestId } from '../../src/errors/upstream-body.ts'

function added(profile: ErrorProfile, text: string): string {
  const body: unknown = JSON.parse(text)
  if (!hasShape(profile, body)) throw new Error('not in the shape')
  return withRequestId(profile, text, body, 'r-1')
}

describe('the request id', () => {
  test('is added without touching the rest, numbers beyond 2^53 included', () => {
    const text = ' {"error_code": 40401, "message":"x", "offset": 9223372036854775807 }'
    expect(added('kafka-rest', text)).toBe(
      ' {"requestId":"r-1","error_code": 40401, "message":"x", "offset": 9223372036854775807 }',
    )
  })

  test('is left alone where the upstream gave one', () => {
    const text = '{"error":{"code":"X","message":"y"},"requestId":"theirs"}'
    expect(added('standard', text)).toBe(text)
  })

  test('goes into each json-api error that has none', () => {
    const text = '{"errors":[{"id":"a","detail":"x"},{"detail":"y","n":9223372036854775807}]}'
    expect(added('json-api', text)).toBe(
      '{"errors":[{"id":"a","detail":"x"},{"id":"r-1","detail":"y","n":9223372036854775807}]}',
    )
  })
})

test.each([
  ['standard', '{"error":{"code":404,"message":"number, not string"}}'],
  ['standard', '{"error":"text"}'],
  ['connect', '{"error":{"code":"text","message":"x"}}'],
  ['kafka-rest', '{"error_code":"404","message":"x"}'],
  ['schema-registry', '{"message":"x"}'],
  ['json-api', '{"errors":[]}'],
  ['json-api', '{"errors":["text"]}'],
  ['oauth', '{"error":{}}'],
  ['oauth', '[]'],
  ['standard', 'null'],
] as const)('%s does not take %s for its own', (profile, text) => {
  expect(hasShape(profile, JSON.parse(text))).toBe(false)
})

test.each([
  ['{"errors":[{"code":"quota_exceeded","detail":"x"}]}', true],
  ['{"message":"The request would exceed the quota: kafka_clusters_per_environment"}', true],
  ['{"message":"Your environment is currently limited to 1000 service accounts"}', true],
  ['{"error":{"code":"QUOTA_EXCEEDED"}}', true],
  ['{"message":"name is required"}', false],
])('%s means an exceeded quota: %s', (text, expected) => {
  expect(
    isQuotaExceeded(text, [
      '"quota_exceeded"',
      'would exceed the quota',
      'is currently limited to',
    ]),
  ).toBe(expected)
})
