import { describe, expect, test } from 'vitest'
import type { Directory } from '../../src/directory/directory.ts'
import { until } from '../support/until.ts'
import { actor, makeKey, makeUser, present } from './opening.ts'

const everything = { limit: 1000 }
const missing = { code: 'RESOURCE_NOT_FOUND' }

/**
 * What a directory guarantees wherever it is kept.
 *
 * @param open opens an empty directory, and closes it when the test ends
 */
export function describeDirectory(open: () => Promise<Directory>): void {
  describe('organizations and principals', () => {
    test('are listed as they were made, in pages', async () => {
      const directory = await open()
      expect(await directory.isEmpty()).toBe(true)
      const { organizationId, userId } = await makeUser(directory)
      const account = { organizationId, displayName: 'deploy', description: 'Deploys.' }
      const { id: accountId } = await directory.principals.createServiceAccount(account, actor)
      expect(await directory.isEmpty()).toBe(false)
      expect(await directory.organizations.list(everything)).toMatchObject([
        { id: organizationId, displayName: 'Example' },
      ])
      const everyone = {
        organizationId,
        createdAtMs: expect.any(Number) as number,
        updatedAtMs: expect.any(Number) as number,
        version: 1,
      }
      const user = { kind: 'user', displayName: '', description: '', email: 'ada@example.com' }
      const listed = [
        { ...everyone, id: accountId, kind: 'service-account', email: undefined, ...account },
        { ...everyone, id: userId, ...user },
      ]
      expect(await directory.principals.list(organizationId, everything)).toEqual(listed)
      const first = await directory.principals.list(organizationId, { limit: 1 })
      const rest = await directory.principals.list(organizationId, { after: accountId, limit: 1 })
      expect([...first, ...rest]).toEqual(listed)
    })

    test('have ids that tell what they are', async () => {
      const directory = await open()
      const { organizationId, userId } = await makeUser(directory)
      const account = { organizationId, displayName: 'deploy' }
      const { id: accountId } = await directory.principals.createServiceAccount(account, actor)
      expect(organizationId).toMatch(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/)
      expect(userId).toMatch(/^u-[\da-z]{10}$/)
      expect(accountId).toMatch(/^sa-[\da-z]{10}$/)
    })

    test('that would be there twice conflict, within one organization only', async () => {
      const directory = await open()
      const { organizationId } = await makeUser(directory)
      const account = { organizationId, displayName: 'deploy' }
      await directory.principals.createServiceAccount(account, actor)
      await expect(directory.principals.createServiceAccount(account, actor)).rejects.toMatchObject(
        {
          code: 'CONFLICT',
          details: 'The organization has a service account with this name.',
        },
      )
      const sameAddress = { organizationId, email: 'ADA@example.com' }
      await expect(directory.principals.createUser(sameAddress, actor)).rejects.toMatchObject({
        code: 'CONFLICT',
        details: 'The organization has a user with this e-mail address.',
      })
      await makeUser(directory)
    })

    test('need an organization that exists, and a name', async () => {
      const directory = await open()
      const nowhere = '00000000-0000-4000-8000-000000000000'
      const user = { organizationId: nowhere, email: 'ada@example.com' }
      await expect(directory.principals.createUser(user, actor)).rejects.toMatchObject(missing)
      for (const displayName of ['', 'x'.repeat(256), 'a\0b'])
        await expect(directory.organizations.create({ displayName }, actor)).rejects.toMatchObject({
          code: 'VALIDATION_FAILED',
        })
      const misspelt = { organizationId: 'not-a-uuid', email: 'ada@example.com' }
      await expect(directory.principals.createUser(misspelt, actor)).rejects.toMatchObject({
        code: 'VALIDATION_FAILED',
      })
      expect(await directory.isEmpty()).toBe(true)
    })
  })

  describe('an API key', () => {
    test('is found with its owner, and opens with its secret and with nothing else', async () => {
      const directory = await open()
      const key = await makeKey(directory)
      expect(await directory.findApiKey(key.id)).toMatchObject({
        id: key.id,
        resource: { kind: 'cloud' },
        owner: { kind: 'user', id: key.userId, organizationId: key.organizationId },
        state: 'active',
        expiresAtMs: undefined,
      })
      expect(await present(directory, key)).toBe('accepted')
      for (const secret of [`${key.secret}x`, key.secret.slice(0, -1), key.secret.toLowerCase()])
        expect(await present(directory, { id: key.id, secret })).toBe('CREDENTIAL_REJECTED')
    })

    test('is answered without a promise once it is cached', async () => {
      const directory = await open()
      const { id } = await makeKey(directory)
      // The notification of its making may still be under way, and has it read once more.
      await until(async () => {
        const read = await directory.findApiKey(id)
        return read !== undefined && directory.findApiKey(id) === read
      })
    })

    test('keeps no secret in the directory', async () => {
      const directory = await open()
      const { id, secret } = await makeKey(directory)
      const record = await directory.findApiKey(id)
      expect(record?.secrets).toEqual([
        {
          digest: directory.digestSecret(secret)('p1'),
          pepperId: 'p1',
          expiresAtMs: undefined,
        },
      ])
      expect(JSON.stringify(record)).not.toContain(secret)
    })

    test('keeps the resource that it opens', async () => {
      const directory = await open()
      const { userId, organizationId } = await makeUser(directory)
      const resources = [
        { kind: 'cloud' },
        { kind: 'global' },
        { kind: 'resource', resourceKind: 'kafka-cluster', id: 'lkc-1', environment: undefined },
        { kind: 'resource', resourceKind: 'flink-region', id: 'aws.x-1', environment: 'env-1' },
      ] as const
      for (const resource of resources) {
        const { id } = await directory.apiKeys.create({ ownerId: userId, resource }, actor)
        expect((await directory.findApiKey(id))?.resource).toEqual(resource)
        const listed = await directory.apiKeys.list(organizationId, everything)
        expect(listed.find((key) => key.id === id)?.resource).toEqual(resource)
      }
    })

    test('needs an owner that exists, and a resource with a name', async () => {
      const directory = await open()
      const { userId } = await makeUser(directory)
      const cloud = { kind: 'cloud' } as const
      const orphan = { ownerId: 'u-nobody', resource: cloud }
      await expect(directory.apiKeys.create(orphan, actor)).rejects.toMatchObject(missing)
      const nameless = {
        kind: 'resource',
        resourceKind: 'x',
        id: '',
        environment: undefined,
      } as const
      await expect(
        directory.apiKeys.create({ ownerId: userId, resource: nameless }, actor),
      ).rejects.toMatchObject({ code: 'VALIDATION_FAILED' })
    })

    test('that does not exist is not found, whatever stands in place of an id', async () => {
      const directory = await open()
      for (const id of ['AAAAAAAAAAAAAAAA', '', 'aaaaaaaaaaaaaaaa', "'; DROP TABLE x; --", '\0'])
        expect(await directory.findApiKey(id)).toBeUndefined()
    })

    test('is refused as soon as it is revoked, and stays so', async () => {
      const directory = await open()
      const key = await makeKey(directory)
      expect(await present(directory, key)).toBe('accepted')
      await directory.apiKeys.revoke(key.id, actor)
      expect(await present(directory, key)).toBe('CREDENTIAL_REJECTED')
      await directory.apiKeys.revoke(key.id, actor)
      expect((await directory.findApiKey(key.id))?.state).toBe('revoked')
    })

    test('ends with its owner, whether that is a user or a service account', async () => {
      const directory = await open()
      const { organizationId } = await makeUser(directory)
      const account = { organizationId, displayName: 'deploy' }
      const { id: ownerId } = await directory.principals.createServiceAccount(account, actor)
      const key = await directory.apiKeys.create({ ownerId, resource: { kind: 'cloud' } }, actor)
      expect(await present(directory, key)).toBe('accepted')
      await directory.principals.delete(ownerId, actor)
      expect(await present(directory, key)).toBe('CREDENTIAL_REJECTED')
      expect(await directory.apiKeys.list(organizationId, everything)).toEqual([])
    })

    test('expires when it is told to, to the millisecond, and no longer when it is told so', async () => {
      const directory = await open()
      const { id } = await makeKey(directory)
      await directory.apiKeys.setExpiry(id, 1_800_000_000_123, actor)
      expect((await directory.findApiKey(id))?.expiresAtMs).toBe(1_800_000_000_123)
      await directory.apiKeys.setExpiry(id, undefined, actor)
      expect((await directory.findApiKey(id))?.expiresAtMs).toBeUndefined()
    })

    test('can be made with an expiry', async () => {
      const directory = await open()
      const { userId } = await makeUser(directory)
      const key = { ownerId: userId, resource: { kind: 'cloud' }, expiresAtMs: 1000 } as const
      expect(await present(directory, await directory.apiKeys.create(key, actor))).toBe(
        'CREDENTIAL_REJECTED',
      )
    })

    test('that does not exist cannot be changed', async () => {
      const directory = await open()
      const keyId = 'AAAAAAAAAAAAAAAA'
      await expect(directory.apiKeys.revoke(keyId, actor)).rejects.toMatchObject(missing)
      await expect(directory.apiKeys.setExpiry(keyId, 1, actor)).rejects.toMatchObject(missing)
      await expect(directory.apiKeys.addSecret({ keyId }, actor)).rejects.toMatchObject(missing)
      await expect(directory.apiKeys.retireOlderSecret(keyId, actor)).rejects.toMatchObject(missing)
      await expect(directory.principals.delete('u-nobody', actor)).rejects.toMatchObject(missing)
    })
  })

  describe('rotating a key', () => {
    test('lets both secrets work, and the old one until the instant that was set', async () => {
      const directory = await open()
      const old = await makeKey(directory)
      const soonMs = Date.now() + 60_000
      const next = { keyId: old.id, otherExpiresAtMs: soonMs }
      const { secret } = await directory.apiKeys.addSecret(next, actor)
      expect(await present(directory, old)).toBe('accepted')
      expect(await present(directory, { id: old.id, secret })).toBe('accepted')
      const record = await directory.findApiKey(old.id)
      expect(record?.secrets.map(({ expiresAtMs }) => expiresAtMs)).toEqual([soonMs, undefined])
    })

    test('takes the place of a secret that has expired, again and again', async () => {
      const directory = await open()
      const { id, secret: first } = await makeKey(directory)
      let latest = first
      for (let turn = 0; turn < 3; turn++) {
        const next = { keyId: id, otherExpiresAtMs: Date.now() - 1000 }
        const { secret } = await directory.apiKeys.addSecret(next, actor)
        expect(await present(directory, { id, secret: latest })).toBe('CREDENTIAL_REJECTED')
        expect(await present(directory, { id, secret })).toBe('accepted')
        latest = secret
      }
    })

    test('does not lengthen the life of a secret', async () => {
      const directory = await open()
      const { id } = await makeKey(directory)
      const pastMs = Date.now() - 1000
      await directory.apiKeys.addSecret({ keyId: id, otherExpiresAtMs: pastMs }, actor)
      await directory.apiKeys.addSecret({ keyId: id, otherExpiresAtMs: Date.now() + 60_000 }, actor)
      const record = await directory.findApiKey(id)
      expect(record?.secrets).toHaveLength(2)
      await expect(directory.apiKeys.addSecret({ keyId: id }, actor)).rejects.toMatchObject({
        code: 'CONFLICT',
      })
    })

    test('is refused while two secrets work, and for a revoked key', async () => {
      const directory = await open()
      const { id } = await makeKey(directory)
      await directory.apiKeys.addSecret({ keyId: id }, actor)
      await expect(directory.apiKeys.addSecret({ keyId: id }, actor)).rejects.toMatchObject({
        code: 'CONFLICT',
      })
      await directory.apiKeys.revoke(id, actor)
      await expect(directory.apiKeys.addSecret({ keyId: id }, actor)).rejects.toMatchObject({
        code: 'CONFLICT',
        details: 'The API key is revoked.',
      })
    })
  })

  describe('retiring a secret', () => {
    test('leaves the newer one, and never none', async () => {
      const directory = await open()
      const old = await makeKey(directory)
      const { id } = old
      const fewer = { code: 'CONFLICT', details: 'There are no two secrets that work.' }
      await expect(directory.apiKeys.retireOlderSecret(id, actor)).rejects.toMatchObject(fewer)
      const { secret } = await directory.apiKeys.addSecret({ keyId: id }, actor)
      expect(await present(directory, old)).toBe('accepted')
      await directory.apiKeys.retireOlderSecret(id, actor)
      expect(await present(directory, old)).toBe('CREDENTIAL_REJECTED')
      expect(await present(directory, { id, secret })).toBe('accepted')
      await expect(directory.apiKeys.retireOlderSecret(id, actor)).rejects.toMatchObject(fewer)
      // One that has ended counts for nothing: the other is the only one that works.
      const ended = { keyId: id, otherExpiresAtMs: Date.now() - 1000 }
      const next = await directory.apiKeys.addSecret(ended, actor)
      await expect(directory.apiKeys.retireOlderSecret(id, actor)).rejects.toMatchObject(fewer)
      expect(await present(directory, { id, secret: next.secret })).toBe('accepted')
    })
  })

  describe('the audit', () => {
    test('has every change once, with who made it, and outlives its subjects', async () => {
      const directory = await open()
      const { organizationId, userId, id } = await makeKey(directory)
      await directory.apiKeys.addSecret({ keyId: id }, actor)
      await directory.apiKeys.setExpiry(id, Date.now() + 1000, actor)
      await directory.apiKeys.revoke(id, actor)
      await directory.apiKeys.revoke(id, actor)
      await directory.principals.delete(userId, { id: 'u-other' })
      const events = await directory.listAuditEvents(organizationId, everything)
      expect(events.map(({ action, actorId, subject }) => [action, actorId, subject.id])).toEqual([
        ['user.deleted', 'u-other', userId],
        ['api-key.deleted', 'u-other', id],
        ['api-key.revoked', 'u-operator', id],
        ['api-key.expiry-set', 'u-operator', id],
        ['api-key.secret-added', 'u-operator', id],
        ['api-key.created', 'u-operator', id],
        ['user.created', 'u-operator', userId],
        ['organization.created', 'u-operator', organizationId],
      ])
      expect(events[0]?.requestId).toBeUndefined()
      expect(events[2]?.requestId).toBe('request-1')
      const second = { after: events[0]?.id ?? '', limit: 1 }
      expect(await directory.listAuditEvents(organizationId, second)).toEqual([events[1]])
    })

    test('has nothing of a change that failed', async () => {
      const directory = await open()
      const { organizationId } = await makeUser(directory)
      const before = await directory.listAuditEvents(organizationId, everything)
      const twice = { organizationId, email: 'ada@example.com' }
      await expect(directory.principals.createUser(twice, actor)).rejects.toThrow()
      expect(await directory.listAuditEvents(organizationId, everything)).toEqual(before)
    })
  })

  describe('the first start', () => {
    const first = { organizationName: 'Example', userEmail: 'ada@example.com', userName: 'Ada' }

    test('makes an organization, its administrator and a cloud key that works', async () => {
      const directory = await open()
      const made = await directory.bootstrap(first, actor)
      if (made === undefined) throw new Error('nothing was made')
      expect(await present(directory, made.apiKey)).toBe('accepted')
      const [user] = await directory.principals.list(made.organizationId, everything)
      expect(user).toMatchObject({ id: made.userId, displayName: 'Ada', email: 'ada@example.com' })
      expect(await directory.findRoleBindings(made.userId)).toMatchObject([
        {
          role: 'OrganizationAdmin',
          crnPattern: `crn://confluent.cloud/organization=${made.organizationId}`,
        },
      ])
    })

    test('makes it once, also where several do it at the same time', async () => {
      const directory = await open()
      const attempts = Array.from({ length: 4 }, () => directory.bootstrap(first, actor))
      const made = (await Promise.all(attempts)).filter((each) => each !== undefined)
      expect(made).toHaveLength(1)
      expect(await directory.organizations.list(everything)).toHaveLength(1)
      expect(await directory.bootstrap(first, actor)).toBeUndefined()
    })
  })

  test('look-ups of one key at the same time, known or not, agree', async () => {
    const directory = await open()
    const { id } = await makeKey(directory)
    const found = await Promise.all(
      Array.from({ length: 20 }, async () => directory.findApiKey(id)),
    )
    expect(new Set(found).size).toBe(1)
    const absent = Array.from({ length: 20 }, async () => directory.findApiKey('ZZZZZZZZZZZZZZZZ'))
    expect(new Set(await Promise.all(absent))).toEqual(new Set([undefined]))
  })

  test('looking for no key takes a look-up as an unknown id does, once in a moment', async () => {
    const directory = await open()
    const { id } = await makeKey(directory)
    const unknown = 'ZZZZZZZZZZZZZZZZ'
    for (const first of [directory.findApiKey(unknown), directory.findNoApiKey(id)]) {
      expect(first).toBeInstanceOf(Promise)
      expect(await first).toBeUndefined()
    }
    expect(directory.findApiKey(unknown)).toBeUndefined()
    expect(directory.findNoApiKey(id)).toBeUndefined()
    expect(await directory.findApiKey(id)).toMatchObject({ id })
    expect(directory.findNoApiKey('no id of a key')).toBeUndefined()
  })

  test('a directory that works says so', async () => {
    const directory = await open()
    expect(directory.health()).toEqual({ state: 'up', notifications: 'arriving' })
  })
}
