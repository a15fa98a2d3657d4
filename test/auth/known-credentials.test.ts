import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import type { ApiKeyRecord } from '../../src/auth/api-key.ts'
import { createAuthenticator } from '../../src/auth/authenticate.ts'
import type { SecurityPolicy } from '../../src/auth/policy.ts'
import { refused } from '../../src/auth/tokens/refusal.ts'

// A credential that was accepted before is known again by a digest of its field.

const policy: SecurityPolicy = [[{ kind: 'cloud-api-key', scheme: 'key', scopes: [] }]]
const resourceOnly: SecurityPolicy = [[{ kind: 'resource-api-key', scheme: 'key', scopes: [] }]]

function digestOf(secret: string): Buffer {
  return createHmac('sha256', 'pepper').update(secret).digest()
}

function keyWith(secret: string, changes: Partial<ApiKeyRecord> = {}): ApiKeyRecord {
  return {
    id: 'K',
    secrets: [{ digest: digestOf(secret), pepperId: 'p', expiresAtMs: undefined }],
    resource: { kind: 'cloud' },
    owner: { kind: 'user', id: 'u-1', organizationId: 'o-1' },
    state: 'active',
    expiresAtMs: undefined,
    ...changes,
  }
}

function setUp(first: ApiKeyRecord) {
  const world = { key: first as ApiKeyRecord | undefined, nowMs: 0, digests: 0, uses: 0 }
  const authenticate = createAuthenticator({
    findApiKey: () => world.key,
    findNoApiKey: () => undefined,
    verifyBearer: () => refused('token-type'),
    digestSecret(secret) {
      world.digests += 1
      return () => digestOf(secret)
    },
    noteKeyUse: () => (world.uses += 1),
    now: () => world.nowMs,
    realm: 'gatehouse',
  })
  const present = (secret: string, asked = policy) =>
    authenticate(`Basic ${Buffer.from(`K:${secret}`).toString('base64')}`, asked, undefined)
  return { world, present }
}

test('its secret is digested once, and each use is noted', () => {
  const { world, present } = setUp(keyWith('right'))
  const answers = [present('right'), present('right'), present('right')]
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
  expect(world).toMatchObject({ digests: 1, uses: 3 })
})

test('a wrong secret is digested each time, also beside a known one', () => {
  const { world, present } = setUp(keyWith('right'))
  void present('right')
  for (let time = 0; time < 3; time += 1) expect(() => present('wrong')).toThrow()
  expect(world).toMatchObject({ digests: 4, uses: 1 })
})

test.each<[string, ApiKeyRecord | undefined]>([
  ['another secret', keyWith('new')],
  ['a revoked key', keyWith('right', { state: 'revoked' })],
  ['no key', undefined],
])('it is worth nothing once the directory has %s', (_, changed) => {
  const { world, present } = setUp(keyWith('right'))
  void present('right')
  world.key = changed
  expect(() => present('right')).toThrow()
  expect(world).toMatchObject({ digests: 2, uses: 1 })
})

test('a change that leaves it valid is followed', () => {
  const { world, present } = setUp(keyWith('right'))
  void present('right')
  world.key = keyWith('right', { owner: { kind: 'user', id: 'u-2', organizationId: 'o-2' } })
  for (let time = 0; time < 2; time += 1)
    expect(present('right')).toMatchObject({ principal: { id: 'u-2' } })
  expect(world.digests).toBe(2)
})

test.each<[string, Partial<ApiKeyRecord>]>([
  ['key', { expiresAtMs: 1_000 }],
  ['secret', { secrets: [{ digest: digestOf('right'), pepperId: 'p', expiresAtMs: 1_000 }] }],
])('it ends with its %s to the millisecond', (_, changes) => {
  const { world, present } = setUp(keyWith('right', changes))
  world.nowMs = 999
  for (let time = 0; time < 2; time += 1)
    expect(present('right')).toMatchObject({ kind: 'authenticated' })
  world.nowMs = 1_000
  expect(() => present('right')).toThrow()
})

test('where it is refused, it takes as long as one that was never seen', () => {
  const { world, present } = setUp(keyWith('right'))
  void present('right')
  for (let time = 0; time < 2; time += 1) expect(() => present('right', resourceOnly)).toThrow()
  expect(world).toMatchObject({ digests: 3, uses: 1 })
})
