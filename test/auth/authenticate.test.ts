import { createHmac, randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { ApiKeyRecord, KeyResource, OperationResource } from '../../src/auth/api-key.ts'
import { createAuthenticator, type Authentication } from '../../src/auth/authenticate.ts'
import { refused } from '../../src/auth/tokens/refusal.ts'
import type { CredentialKind, Requirement, SecurityPolicy } from '../../src/auth/policy.ts'
import { GatewayError } from '../../src/errors/gateway-error.ts'

const nowMs = 1_800_000_000_000
const peppers = new Map([
  ['p1', 'pepper one'],
  ['p2', 'pepper two'],
])

function hmac(pepper: string | Buffer, secret: string): Buffer {
  return createHmac('sha256', pepper).update(secret).digest()
}

function digestSecret(secret: string): (pepperId: string | undefined) => Buffer {
  return (pepperId) => hmac(peppers.get(pepperId ?? '') ?? randomBytes(32), secret)
}

function stored(
  secret: string,
  { pepperId = 'p1', expiresAtMs }: { pepperId?: string; expiresAtMs?: number } = {},
): ApiKeyRecord['secrets'][number] {
  return { digest: digestSecret(secret)(pepperId), pepperId, expiresAtMs }
}

function record(id: string, changes: Partial<ApiKeyRecord> = {}): ApiKeyRecord {
  return {
    id,
    secrets: [stored('right')],
    resource: { kind: 'cloud' },
    owner: { kind: 'user', id: 'u-1', organizationId: 'o-1' },
    state: 'active',
    expiresAtMs: undefined,
    ...changes,
  }
}

const lkc1: KeyResource = {
  kind: 'resource',
  resourceKind: 'kafka-cluster',
  id: 'lkc-1',
  environment: undefined,
}

const keys = new Map(
  [
    record('CLOUD'),
    record('GLOBAL', { resource: { kind: 'global' } }),
    record('CLUSTER', { resource: lkc1 }),
    record('REVOKED', { state: 'revoked' }),
    record('EXPIRED', { expiresAtMs: nowMs }),
    record('EXPIRES-LATER', { expiresAtMs: nowMs + 1 }),
    record('SECRET-EXPIRED', { secrets: [stored('right', { expiresAtMs: nowMs })] }),
    record('ROTATING', {
      secrets: [stored('old', { expiresAtMs: nowMs + 1 }), stored('right', { pepperId: 'p2' })],
    }),
    record('NO-SECRET', { secrets: [] }),
    record('LOST-PEPPER', {
      secrets: [{ digest: hmac('lost', 'right'), pepperId: 'lost', expiresAtMs: undefined }],
    }),
  ].map((key) => [key.id, key]),
)

function requires(...kinds: readonly CredentialKind[]): readonly Requirement[] {
  return kinds.map((kind) => ({ kind, scheme: `scheme of ${kind}`, scopes: [] }))
}

function basic(id: string, secret: string): string {
  return `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`
}

const uses: string[] = []

const parts = {
  findApiKey: (keyId: string) => keys.get(keyId),
  findNoApiKey: () => undefined,
  digestSecret,
  noteKeyUse: (keyId: string) => uses.push(keyId),
  verifyBearer: () => refused('token-type'),
  now: () => nowMs,
  realm: 'gatehouse',
}
const authenticate = createAuthenticator(parts)

function outcome(
  authorization: string | undefined,
  policy: SecurityPolicy,
  resource?: OperationResource,
): Authentication | GatewayError {
  try {
    const answer = authenticate(authorization, policy, resource)
    if (answer instanceof Promise) throw new TypeError('a promise for a key at hand')
    return answer
  } catch (error) {
    if (error instanceof GatewayError) return error
    throw error
  }
}

function reasonOf(result: Authentication | GatewayError): unknown {
  if (!(result instanceof GatewayError)) return result.kind
  return result.cause instanceof Error ? result.cause.message : result.code
}

const cloudOnly: SecurityPolicy = [requires('cloud-api-key')]

test('a key and its secret open the operation in the name of the owner, without a promise', () => {
  expect(outcome(basic('CLOUD', 'right'), cloudOnly)).toEqual({
    kind: 'authenticated',
    principal: { kind: 'user', id: 'u-1', organizationId: 'o-1' },
    credential: { kind: 'cloud-api-key', id: 'CLOUD' },
  })
})

test('the use of a key is noted where it opened the operation, and only there', () => {
  uses.length = 0
  outcome(basic('CLOUD', 'wrong'), cloudOnly)
  outcome(basic('CLOUD', 'right'), [requires('global-api-key')])
  expect(uses).toEqual([])
  outcome(basic('CLOUD', 'right'), cloudOnly)
  expect(uses).toEqual(['CLOUD'])
})

test('a key that must be looked up is answered by a promise, and refused by it', async () => {
  const lookingUp = createAuthenticator({
    ...parts,
    findApiKey: (keyId) => Promise.resolve(keys.get(keyId)),
  })
  await expect(lookingUp(basic('CLOUD', 'right'), cloudOnly, undefined)).resolves.toMatchObject({
    kind: 'authenticated',
  })
  await expect(lookingUp(basic('CLOUD', 'wrong'), cloudOnly, undefined)).rejects.toMatchObject({
    code: 'CREDENTIAL_REJECTED',
  })
})

describe('a refusal', () => {
  const refusedKeys = [
    ['CLOUD', 'wrong'],
    ['REVOKED', 'right'],
    ['GLOBAL', 'right'],
    ['EXPIRED', 'right'],
  ] as const
  const waiting = (lookUp: Promise<undefined> | undefined, isAtHand: boolean) => {
    const asked: string[] = []
    const authenticateWaiting = createAuthenticator({
      ...parts,
      findApiKey: (keyId) => (isAtHand ? keys.get(keyId) : Promise.resolve(keys.get(keyId))),
      findNoApiKey: (keyId) => {
        asked.push(keyId)
        return lookUp
      },
    })
    return {
      asked,
      present: (authorization: string) => authenticateWaiting(authorization, cloudOnly, undefined),
    }
  }

  test.each(refusedKeys)(
    'of %s, which is at hand, waits as for an unknown id',
    async (id, secret) => {
      const lookUp = Promise.withResolvers<undefined>()
      const { asked, present } = waiting(lookUp.promise, true)
      const answer = Promise.resolve(present(basic(id, secret)))
      const seen = Promise.race([answer.catch(() => 'refused'), Promise.resolve('waits')])
      expect(await seen).toBe('waits')
      lookUp.resolve(undefined)
      await expect(answer).rejects.toMatchObject({ code: 'CREDENTIAL_REJECTED' })
      expect(asked).toEqual([id])
    },
  )

  test.each(refusedKeys)('of %s, which was looked up, does not wait again', async (id, secret) => {
    const { asked, present } = waiting(new Promise(() => undefined), false)
    await expect(present(basic(id, secret))).rejects.toMatchObject({ code: 'CREDENTIAL_REJECTED' })
    expect(asked).toEqual([id])
  })

  test('is at hand where an unknown id would be, and an unknown id waits for itself alone', () => {
    const { asked, present } = waiting(undefined, true)
    expect(() => present(basic('CLOUD', 'wrong'))).toThrow(GatewayError)
    expect(() => present(basic('NOBODY', 'wrong'))).toThrow(GatewayError)
    expect(present(basic('CLOUD', 'right'))).toMatchObject({ kind: 'authenticated' })
    expect(asked).toEqual(['CLOUD'])
  })
})

test('an unavailable directory is told as such and never as a refused credential', async () => {
  const unavailable = createAuthenticator({
    ...parts,
    findApiKey: () => Promise.reject(new GatewayError('DIRECTORY_UNAVAILABLE')),
  })
  await expect(unavailable(basic('CLOUD', 'right'), cloudOnly, undefined)).rejects.toMatchObject({
    code: 'DIRECTORY_UNAVAILABLE',
  })
})

describe('a refused credential', () => {
  const refused: readonly (readonly [reason: string, id: string, secret: string])[] = [
    ['unknown-key', 'NOBODY', 'right'],
    ['wrong-secret', 'CLOUD', 'wrong'],
    ['wrong-secret', 'ROTATING', 'wrong'],
    ['wrong-secret', 'NO-SECRET', 'right'],
    ['wrong-secret', 'LOST-PEPPER', 'right'],
    ['revoked', 'REVOKED', 'right'],
    ['expired', 'EXPIRED', 'right'],
    ['expired', 'SECRET-EXPIRED', 'right'],
    ['wrong-kind', 'GLOBAL', 'right'],
    ['wrong-resource', 'CLUSTER', 'right'],
  ]
  const policy: SecurityPolicy = [requires('cloud-api-key'), requires('resource-api-key')]

  test.each(refused)('is logged as %s (%s)', (reason, id, secret) => {
    expect(reasonOf(outcome(basic(id, secret), policy))).toBe(reason)
  })

  test('is answered alike, whichever check failed', () => {
    const answers = refused.map(([, id, secret]) => {
      const result = outcome(basic(id, secret), policy)
      if (!(result instanceof GatewayError)) throw new TypeError('not refused')
      const { code, status, message, details, fields, headers, retryAfterSeconds } = result
      return { code, status, message, details, fields, headers, retryAfterSeconds }
    })
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
    expect(answers[0]).toMatchObject({
      code: 'CREDENTIAL_REJECTED',
      status: 401,
      headers: { 'WWW-Authenticate': 'Basic realm="gatehouse"' },
    })
  })

  test('costs the same digests and comparisons as an accepted one', () => {
    let digested: string[] = []
    let compared = 0
    const counted = createAuthenticator({
      ...parts,
      digestSecret: (secret) => {
        digested.push(secret)
        return (pepperId) => {
          compared += 1
          return digestSecret(secret)(pepperId)
        }
      },
    })
    const accepted = [
      ['accepted', 'CLOUD', 'right'],
      ['accepted', 'ROTATING', 'right'],
      ['accepted', 'ROTATING', 'old'],
    ] as const
    for (const [, id, secret] of [...refused, ...accepted]) {
      digested = []
      compared = 0
      try {
        void counted(basic(id, secret), policy, undefined)
      } catch {
        // Refused or not, only the work counts here.
      }
      expect({ id, digested, compared }).toEqual({ id, digested: [secret], compared: 2 })
    }
  })
})

describe('while a key is rotated', () => {
  test('both secrets open it', () => {
    expect(reasonOf(outcome(basic('ROTATING', 'old'), cloudOnly))).toBe('authenticated')
    expect(reasonOf(outcome(basic('ROTATING', 'right'), cloudOnly))).toBe('authenticated')
  })
})

test('a key works until the millisecond of its expiry', () => {
  expect(reasonOf(outcome(basic('EXPIRES-LATER', 'right'), cloudOnly))).toBe('authenticated')
})

describe('the policy', () => {
  test('any one alternative is enough', () => {
    const policy = [requires('external-access-token'), requires('cloud-api-key')]
    expect(reasonOf(outcome(basic('CLOUD', 'right'), policy))).toBe('authenticated')
  })

  test('every member of an alternative is needed, and one key is one credential', () => {
    const both = [requires('cloud-api-key', 'external-access-token')]
    expect(reasonOf(outcome(basic('CLOUD', 'right'), both))).toBe('wrong-kind')
    const sameKindTwice = [requires('cloud-api-key', 'cloud-api-key')]
    expect(reasonOf(outcome(basic('CLOUD', 'right'), sameKindTwice))).toBe('authenticated')
  })

  test('a requirement with a scope is not met by a key, which has none', () => {
    const scoped = [[{ kind: 'cloud-api-key', scheme: 's', scopes: ['write'] }]] as const
    expect(reasonOf(outcome(basic('CLOUD', 'right'), scoped))).toBe('wrong-kind')
  })

  test.each([
    ['CLOUD', 'cloud-api-key'],
    ['GLOBAL', 'global-api-key'],
    ['CLUSTER', 'resource-api-key'],
  ] as const)('%s opens %s and no other kind', (id, own) => {
    for (const kind of ['cloud-api-key', 'global-api-key', 'resource-api-key'] as const) {
      const resource = { kind: 'kafka-cluster', id: 'lkc-1', environment: undefined }
      const expected = kind === own ? 'authenticated' : 'wrong-kind'
      expect(reasonOf(outcome(basic(id, 'right'), [requires(kind)], resource))).toBe(expected)
    }
  })

  test.each([
    ['another id', { kind: 'kafka-cluster', id: 'lkc-2', environment: undefined }],
    ['another kind', { kind: 'schema-registry', id: 'lkc-1', environment: undefined }],
    ['another environment', { kind: 'kafka-cluster', id: 'lkc-1', environment: 'env-1' }],
    ['no resource told', undefined],
  ])('a resource key does not open %s', (_what, resource) => {
    const policy = [requires('resource-api-key')]
    expect(reasonOf(outcome(basic('CLUSTER', 'right'), policy, resource))).toBe('wrong-resource')
  })

  test('a cloud key passes a cloud alternative beside a resource alternative', () => {
    const policy = [requires('resource-api-key'), requires('cloud-api-key')]
    expect(reasonOf(outcome(basic('CLOUD', 'right'), policy))).toBe('authenticated')
  })

  test('no alternative at all admits nobody', () => {
    expect(reasonOf(outcome(undefined, []))).toBe('AUTHENTICATION_REQUIRED')
    expect(reasonOf(outcome(basic('CLOUD', 'right'), []))).toBe('wrong-kind')
  })
})

describe('an anonymous operation', () => {
  test('asks nobody, and does not read what is presented', () => {
    expect(outcome(undefined, [[]])).toEqual({ kind: 'anonymous' })
    expect(outcome('Basic ???', [[]])).toEqual({ kind: 'anonymous' })
  })

  test('that also takes a credential refuses a wrong one', () => {
    const optional = [[], ...cloudOnly]
    expect(outcome(undefined, optional)).toEqual({ kind: 'anonymous' })
    expect(reasonOf(outcome(basic('CLOUD', 'right'), optional))).toBe('authenticated')
    expect(reasonOf(outcome(basic('CLOUD', 'wrong'), optional))).toBe('wrong-secret')
  })
})

describe('a request without an accepted credential', () => {
  test('that presents none is asked for one', () => {
    const result = outcome(undefined, cloudOnly)
    expect(result).toMatchObject({
      code: 'AUTHENTICATION_REQUIRED',
      headers: { 'WWW-Authenticate': 'Basic realm="gatehouse"' },
    })
  })

  test.each([
    ['Bearer token', 'token-type'],
    ['Negotiate', 'unsupported-scheme'],
  ])('%s is refused', (authorization, reason) => {
    expect(reasonOf(outcome(authorization, cloudOnly))).toBe(reason)
  })

  test('a malformed field is a bad request', () => {
    expect(reasonOf(outcome('Basic ???', cloudOnly))).toBe('not canonical Base64')
  })
})
