import { expect, test } from 'vitest'
import { challenge } from '../../src/auth/challenge.ts'
import type { CredentialKind, SecurityPolicy } from '../../src/auth/policy.ts'

function oneOf(...kinds: readonly CredentialKind[]): SecurityPolicy {
  return kinds.map((kind) => [{ kind, scheme: kind, scopes: [] }])
}

test.each([
  ['Basic realm="r"', oneOf('cloud-api-key', 'resource-api-key', 'global-api-key')],
  ['Bearer realm="r"', oneOf('sts-access-token', 'partner-access-token')],
  ['Basic realm="r", Bearer realm="r"', oneOf('external-access-token', 'resource-api-key')],
  ['Basic realm="r"', []],
])('%s names each HTTP scheme of the policy once', (expected, policy) => {
  expect(challenge(policy, 'r')).toBe(expected)
})

test('a realm is a quoted string', () => {
  expect(challenge(oneOf('cloud-api-key'), 'a "b" \\ c')).toBe('Basic realm="a \\"b\\" \\\\ c"')
})
