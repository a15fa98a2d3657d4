import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createAuthorizeByRoles } from '../../../src/auth/roles/authorize.ts'
import type { RoleBinding } from '../../../src/auth/roles/decide.ts'
import { createMatchesCrn } from '../../../src/crn-matching.ts'

const mine = '9bb441c4-edef-46ac-8a41-c49e44a3fd9a'
const theirs = '00000000-0000-4000-8000-000000000000'
const own = `crn://confluent.cloud/organization=${mine}`
const user = { kind: 'user', id: 'u-1', organizationId: mine } as const

const roles = new Map([
  ['Admin', new Set(['read', 'write'])],
  ['Viewer', new Set(['read'])],
])

type Place = readonly { readonly kind: string; readonly id: string }[]

const env1: Place = [{ kind: 'environment', id: 'env-1' }]
const topic = (id: string): Place => [
  ...env1,
  { kind: 'cloud-cluster', id: 'lkc-1' },
  { kind: 'topic', id },
]

/** What decides, where each principal is bound as given: role and pattern. */
function authorizing(
  bound: Readonly<Record<string, readonly (readonly [role: string, pattern: string])[]>>,
  organizationId = mine,
) {
  return createAuthorizeByRoles({
    roles: () => roles,
    findRoleBindings: (id): readonly RoleBinding[] =>
      (bound[id] ?? []).map(([role, crnPattern]) => ({ organizationId, role, crnPattern })),
    matchesCrn: createMatchesCrn(),
    crnAuthority: 'confluent.cloud',
  })
}

/** What one binding of the user allows at a place. */
function decision(role: string, pattern: string, operation: string, place: Place): unknown {
  return authorizing({ 'u-1': [[role, pattern]] })(user, operation, place)
}

describe('a role holds', () => {
  test('on what it is bound to and all within it, for its operations alone', () => {
    expect(decision('Admin', own, 'write', [])).toBe('allowed')
    expect(decision('Admin', own, 'write', topic('clicks'))).toBe('allowed')
    expect(decision('Admin', `${own}/environment=env-1`, 'write', env1)).toBe('allowed')
    expect(decision('Admin', `${own}/environment=env-1`, 'write', topic('clicks'))).toBe('allowed')
    expect(decision('Viewer', own, 'read', topic('clicks'))).toBe('allowed')
    expect(decision('Viewer', own, 'write', topic('clicks'))).toBe('forbidden')
  })

  test('not on what is around it or beside it, of which nothing is told', () => {
    const pattern = `${own}/environment=env-1`
    expect(decision('Admin', pattern, 'read', [])).toBe('unrelated')
    expect(decision('Admin', pattern, 'read', [{ kind: 'environment', id: 'env-10' }])).toBe(
      'unrelated',
    )
    expect(decision('Admin', pattern, 'read', [{ kind: 'network', id: 'env-1' }])).toBe('unrelated')
  })

  test('on what begins as a pattern with a star at its end', () => {
    const pattern = `${own}/environment=env-1/cloud-cluster=lkc-1/topic=clicks-*`
    expect(decision('Viewer', pattern, 'read', topic('clicks-1'))).toBe('allowed')
    expect(decision('Viewer', pattern, 'read', topic('clicks-'))).toBe('allowed')
    expect(decision('Viewer', pattern, 'read', topic('clicks'))).toBe('unrelated')
    expect(decision('Viewer', pattern, 'read', topic('my-clicks-1'))).toBe('unrelated')
    expect(decision('Viewer', pattern, 'read', topic('*'))).toBe('unrelated')
    expect(decision('Viewer', `${own}/environment=*`, 'read', env1)).toBe('allowed')
    expect(decision('Viewer', `${own}/environment=*`, 'read', [])).toBe('unrelated')
  })

  test('not where its name is not configured, or its pattern cannot be read', () => {
    expect(decision('Gone', own, 'read', [])).toBe('forbidden')
    for (const pattern of ['*', '', 'crn://', `${own}/*/topic=x`, `${own}/environment=e*v-1`])
      expect(decision('Admin', pattern, 'read', env1)).toBe('unrelated')
  })

  test('not under another authority', () => {
    const elsewhere = own.replace('confluent.cloud', 'example.com')
    expect(decision('Admin', elsewhere, 'read', [])).toBe('unrelated')
  })
})

describe('who has roles in one organization reaches nothing of another', () => {
  const patterns = [
    own,
    `${own}/*`,
    'crn://confluent.cloud/organization=*',
    'crn://confluent.cloud/*',
    `crn://confluent.cloud/organization=${theirs}`,
  ]

  test('although a request names it', () => {
    const elsewhere = [{ kind: 'organization', id: theirs }, ...env1]
    for (const pattern of patterns)
      expect(decision('Admin', pattern, 'read', elsewhere)).toBe('unrelated')
    expect(decision('Admin', own, 'read', [{ kind: 'organization', id: mine }, ...env1])).toBe(
      'allowed',
    )
    expect(decision('Admin', own, 'read', [{ kind: 'organization', id: `${mine}*` }])).toBe(
      'unrelated',
    )
  })

  test('although a binding of that organization were found', () => {
    for (const pattern of patterns) {
      const authorize = authorizing({ 'u-1': [['Admin', pattern]] }, theirs)
      expect(authorize(user, 'read', [])).toBe('unrelated')
    }
  })

  test('although it puts what it likes into an id', () => {
    const anywhere = fc.array(
      fc.record({
        kind: fc.constantFrom('environment', 'topic', 'organization'),
        id: fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.constantFrom(theirs, `${theirs}/environment=env-1`, `=${mine}/..`, '*', '%2F', '/'),
        ),
      }),
    )
    const bound = `crn://confluent.cloud/organization=${theirs}`
    const authorize = authorizing({ 'u-1': [['Admin', bound]] })
    fc.assert(
      fc.property(anywhere, (place) => {
        expect(authorize(user, 'read', place)).toBe('unrelated')
      }),
    )
  })
})

describe('whoever is several identity pools', () => {
  const pools = { ids: ['pool-a', 'pool-b'], subject: 'somebody' }
  const caller = { kind: 'identity-pool', id: 'pool-a', organizationId: mine, pools } as const

  test('has the roles of all of them, and of no others', () => {
    const authorize = authorizing({
      'pool-a': [['Viewer', own]],
      'pool-b': [['Admin', `${own}/environment=env-1`]],
      'pool-c': [['Admin', own]],
    })
    expect(authorize(caller, 'write', env1)).toBe('allowed')
    expect(authorize(caller, 'read', [])).toBe('allowed')
    expect(authorize(caller, 'write', [])).toBe('forbidden')
  })
})

test('the answer is a promise only where bindings have to be looked up', async () => {
  const bindings = [{ organizationId: mine, role: 'Admin', crnPattern: own }]
  const parts = {
    roles: () => roles,
    matchesCrn: createMatchesCrn(),
    crnAuthority: 'confluent.cloud',
  }
  const late = createAuthorizeByRoles({
    ...parts,
    findRoleBindings: () => Promise.resolve(bindings),
  })
  const answer = late(user, 'write', [])
  expect(answer).toBeInstanceOf(Promise)
  expect(await answer).toBe('allowed')
})
