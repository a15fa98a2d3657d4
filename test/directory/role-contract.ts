import { describe, expect, test } from 'vitest'
import type { Directory } from '../../src/directory/directory.ts'
import { until } from '../support/until.ts'
import { actor, makePool, makeUser } from './opening.ts'

const everything = { limit: 1000 }
const missing = { code: 'RESOURCE_NOT_FOUND' }
const invalid = { code: 'VALIDATION_FAILED' }

/** What was done to whom in an organization, newest first. */
async function audited(directory: Directory, organizationId: string): Promise<readonly string[]> {
  const events = await directory.listAuditEvents(organizationId, everything)
  return events.map(({ action, subject }) => `${action} ${subject.id}`)
}

/** The name of an organization. */
function crnOf(organizationId: string): string {
  return `crn://confluent.cloud/organization=${organizationId}`
}

/**
 * What a directory guarantees about role bindings, wherever it is kept.
 *
 * @param open opens an empty directory, and closes it when the test ends
 */
export function describeRoleBindings(open: () => Promise<Directory>): void {
  describe('a role binding', () => {
    test('counts at once when it is made, and when it is deleted, and both are written down', async () => {
      const directory = await open()
      const { organizationId, userId: principalId } = await makeUser(directory)
      const binding = { organizationId, role: 'Viewer', crnPattern: crnOf(organizationId) }
      expect(await directory.findRoleBindings(principalId)).toEqual([])
      const made = await directory.roleBindings.create({ ...binding, principalId }, actor)
      const { id } = made
      expect(made).toMatchObject({ ...binding, principalId })
      expect(id).toMatch(/^rb-[\da-z]{10}$/)
      expect(await directory.findRoleBindings(principalId)).toEqual([binding])
      await directory.roleBindings.delete(id, actor)
      expect(await directory.findRoleBindings(principalId)).toEqual([])
      await expect(directory.roleBindings.delete(id, actor)).rejects.toMatchObject(missing)
      expect((await audited(directory, organizationId)).slice(0, 2)).toEqual([
        `role-binding.deleted ${id}`,
        `role-binding.created ${id}`,
      ])
    })

    test('is given to users, service accounts and identity pools, and to nothing else', async () => {
      const directory = await open()
      const { organizationId, userId, providerId, poolId } = await makePool(directory)
      const account = { organizationId, displayName: 'deploy' }
      const { id: accountId } = await directory.principals.createServiceAccount(account, actor)
      const binding = { organizationId, role: 'Viewer', crnPattern: crnOf(organizationId) }
      for (const principalId of [userId, accountId, poolId]) {
        await directory.roleBindings.create({ ...binding, principalId }, actor)
        expect(await directory.findRoleBindings(principalId)).toEqual([binding])
      }
      for (const principalId of ['u-nobody', 'pool-nobody', providerId, organizationId, '', '*'])
        await expect(
          directory.roleBindings.create({ ...binding, principalId }, actor),
        ).rejects.toMatchObject(missing)
      expect(await directory.roleBindings.list(organizationId, everything)).toHaveLength(3)
    })

    test('is in one organization: principal, pattern and lists', async () => {
      const directory = await open()
      const mine = await makeUser(directory)
      const theirs = await makeUser(directory)
      const { organizationId, userId: principalId } = mine
      const binding = { organizationId, principalId, role: 'Viewer' }
      const own = crnOf(organizationId)
      const foreign = { ...binding, principalId: theirs.userId, crnPattern: own }
      await expect(directory.roleBindings.create(foreign, actor)).rejects.toMatchObject(missing)
      for (const crnPattern of [
        crnOf(theirs.organizationId),
        'crn://confluent.cloud/organization=*',
        'crn://confluent.cloud/*',
        `${own}*`,
        `${own.slice(0, -1)}*`,
        `crn://confluent.cloud/environment=e/organization=${organizationId}`,
        `https://confluent.cloud/organization=${organizationId}`,
        '*',
        '',
      ])
        await expect(
          directory.roleBindings.create({ ...binding, crnPattern }, actor),
        ).rejects.toMatchObject(invalid)
      const { id } = await directory.roleBindings.create(
        { ...binding, crnPattern: `${own}/environment=*` },
        actor,
      )
      expect(await directory.roleBindings.find(id)).toMatchObject({ organizationId })
      expect(await directory.roleBindings.list(theirs.organizationId, everything)).toEqual([])
    })

    test('is there once, and needs a name of a role', async () => {
      const directory = await open()
      const { organizationId, userId: principalId } = await makeUser(directory)
      const crnPattern = crnOf(organizationId)
      const binding = { organizationId, principalId, role: 'Viewer', crnPattern }
      await directory.roleBindings.create(binding, actor)
      await expect(directory.roleBindings.create(binding, actor)).rejects.toMatchObject({
        code: 'CONFLICT',
        details: 'The principal has this role there already.',
      })
      await directory.roleBindings.create({ ...binding, role: 'Operator' }, actor)
      for (const role of ['', 'x'.repeat(256)])
        await expect(
          directory.roleBindings.create({ ...binding, role }, actor),
        ).rejects.toMatchObject(invalid)
    })

    test('is listed in pages, by principal, by role and by what its pattern begins with', async () => {
      const directory = await open()
      const { organizationId, userId } = await makeUser(directory)
      const account = { organizationId, displayName: 'deploy' }
      const { id: accountId } = await directory.principals.createServiceAccount(account, actor)
      const own = crnOf(organizationId)
      const made = [
        { principalId: userId, role: 'Viewer', crnPattern: own },
        { principalId: userId, role: 'Operator', crnPattern: `${own}/environment=env-1` },
        { principalId: accountId, role: 'Viewer', crnPattern: `${own}/environment=env-%_*` },
      ]
      for (const binding of made)
        await directory.roleBindings.create({ ...binding, organizationId }, actor)
      const { roleBindings } = directory
      const all = await roleBindings.list(organizationId, everything)
      expect(all.map(({ id }) => id)).toEqual(all.map(({ id }) => id).toSorted())
      for (const binding of made) expect(all).toContainEqual(expect.objectContaining(binding))
      const first = await roleBindings.list(organizationId, { limit: 1 })
      const after = first[0]?.id ?? ''
      const rest = await roleBindings.list(organizationId, { after, limit: 1000 })
      expect([...first, ...rest]).toEqual(all)
      expect(await roleBindings.find(after)).toEqual(first[0])
      expect(await roleBindings.find('rb-none')).toBeUndefined()
      const counts = await Promise.all(
        [
          {},
          { principalId: userId },
          { role: 'Viewer' },
          { principalId: accountId, role: 'Operator' },
          { crnPatternPrefix: `${own}/environment=` },
          { crnPatternPrefix: `${own}/environment=env-%` },
          { crnPatternPrefix: `${own}%` },
        ].map(async (filter) => {
          const found = await roleBindings.list(organizationId, everything, filter)
          expect(await roleBindings.count(organizationId, filter)).toBe(found.length)
          return found.length
        }),
      )
      expect(counts).toEqual([3, 2, 2, 0, 2, 1, 0])
    })

    test('goes with its principal, and with the provider of a pool, each written down', async () => {
      const directory = await open()
      const { organizationId, userId, providerId, poolId } = await makePool(directory)
      const { roleBindings, identityPools, identityProviders, principals } = directory
      const pool = { providerId, displayName: 'Other', identityClaim: 'claims.sub', filter: 'true' }
      const { id: otherPoolId } = await identityPools.create(pool, actor)
      const bound = [userId, poolId, otherPoolId]
      const ids: string[] = []
      for (const principalId of bound) {
        const binding = { organizationId, principalId, crnPattern: crnOf(organizationId) }
        ids.push((await roleBindings.create({ ...binding, role: 'Viewer' }, actor)).id)
        expect(await directory.findRoleBindings(principalId)).toHaveLength(1)
      }
      await principals.delete(userId, actor)
      await identityPools.delete(poolId, actor)
      await identityProviders.delete(providerId, actor)
      for (const principalId of bound)
        expect(await directory.findRoleBindings(principalId)).toEqual([])
      expect(await roleBindings.list(organizationId, everything)).toEqual([])
      const events = await audited(directory, organizationId)
      for (const id of ids)
        expect(events.filter((event) => event === `role-binding.deleted ${id}`)).toHaveLength(1)
    })

    test('is answered without a promise, as the same object, for as long as nothing changes', async () => {
      const directory = await open()
      const { organizationId, userId: principalId } = await makeUser(directory)
      const crnPattern = crnOf(organizationId)
      const binding = { organizationId, principalId, role: 'Viewer', crnPattern }
      await directory.roleBindings.create(binding, actor)
      // The notification of its making may still be under way, and has it read once more.
      await until(async () => {
        const read = await directory.findRoleBindings(principalId)
        return directory.findRoleBindings(principalId) === read
      })
    })
  })
}
