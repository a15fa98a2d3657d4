import { expect, test } from 'vitest'
import { createAccessSampling } from '../../src/telemetry/access-sampling.ts'

const uneventful = { verdict: 'forwarded', status: 200, complete: true }

test('of what went as it should, the configured part is written', () => {
  const draws = [0, 0.24, 0.25, 0.99]
  const isWritten = createAccessSampling(0.25, () => draws.shift() ?? 1)
  expect([1, 2, 3, 4].map(() => isWritten(uneventful))).toEqual([true, true, false, false])
})

test.each([
  ['refused', { verdict: 'CREDENTIAL_INVALID', status: 401 }],
  ['an error of the upstream', { status: 404 }],
  ['broken off', { complete: false }],
  ['decided without Redis', { degraded: true }],
  ['only let through by a shadow', { shadow: 'organization' }],
  ['something that ends one day', { stage: 'deprecated' }],
])('what was %s is always written', (_, changed) => {
  const isWritten = createAccessSampling(0, () => 1)
  expect(isWritten({ ...uneventful, ...changed })).toBe(true)
  expect(isWritten(uneventful)).toBe(false)
})

test('with a ratio of one, everything is written', () => {
  expect(createAccessSampling(1, () => 1)(uneventful)).toBe(true)
})
