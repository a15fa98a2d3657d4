import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { Directory } from '../../src/directory/directory.ts'
import { actor, makeUser } from './opening.ts'

/**
 * What a directory guarantees about the counts of resources, wherever it is kept.
 *
 * @param open opens an empty directory, and closes it when the test ends
 */
export function describeResourceCounts(open: () => Promise<Directory>): void {
  describe('the count of resources', () => {
    test('and reservations never exceed the limit, whoever asks at the same time', async () => {
      const { counts, owner } = await withOwner(open)
      await counts.count(owner, 'earlier', 1)
      const reserved = await Promise.all(
        Array.from({ length: 20 }, (_, i) => counts.reserve(owner, `r${i}`, 8, 60_000)),
      )
      const granted = reserved.filter((occupied) => occupied !== undefined)
      expect(granted.toSorted((a, b) => a - b)).toEqual([2, 3, 4, 5, 6, 7, 8])
    })

    test('keeps what is committed; what is released or has lapsed is free again', async () => {
      const { counts, owner, used } = await withOwner(open)
      const reserve = (id: string, leaseMs = 60_000) => counts.reserve(owner, id, 2, leaseMs)
      await reserve('a')
      await reserve('b')
      expect(await reserve('c')).toBeUndefined()
      expect(await counts.count(owner, 'a', 1)).toBe(1)
      expect(await reserve('c')).toBeUndefined()
      await counts.release(owner, 'b')
      expect(await reserve('c', 1)).toBe(2)
      await delay(50)
      expect(await reserve('d')).toBe(2)
      expect(await used()).toBe(1)
    })

    test('keeps a reservation that is renewed, and makes none that is gone', async () => {
      const { counts, owner } = await withOwner(open)
      await counts.reserve(owner, 'a', 1, 200)
      await counts.renew(owner, 'a', 60_000)
      await counts.renew(owner, 'gone', 60_000)
      await delay(300)
      expect(await counts.reserve(owner, 'b', 1, 60_000)).toBeUndefined()
      await counts.release(owner, 'a')
      expect(await counts.reserve(owner, 'b', 1, 60_000)).toBe(1)
    })

    test('counts each change once, however often it is told, and never falls below 0', async () => {
      const { counts, owner, used } = await withOwner(open)
      expect(await counts.count(owner, 'd0', -1)).toBe(0)
      expect(await counts.count(owner, 'c1', 1)).toBe(1)
      expect(await counts.count(owner, 'c1', 1)).toBeUndefined()
      expect(await counts.count(owner, 'c2', 1)).toBe(2)
      for (let i = 0; i < 3; i++) await counts.count(owner, 'd1', -1)
      expect(await used()).toBe(1)
    })

    test('counts what was created after its reservation had lapsed', async () => {
      const { counts, owner, used } = await withOwner(open)
      await counts.reserve(owner, 'late', 1, 1)
      await delay(20)
      await counts.reserve(owner, 'other', 1, 60_000)
      await counts.count(owner, 'late', 1)
      await counts.count(owner, 'other', 1)
      expect(await used()).toBe(2)
    })

    test('is one for the organization and one for each principal, and goes with them', async () => {
      const { directory, counts, owner, userId } = await withOwner(open)
      const { organizationId } = owner
      const own = { ...owner, principalId: userId }
      await counts.count(owner, 'o', 1)
      await counts.count(own, 'u', 1)
      await counts.count({ ...own, principalId: 'u-other' }, 'v', 1)
      expect(await counts.read(organizationId, userId)).toEqual({
        organization: new Map([['clusters', 1]]),
        user: new Map([['clusters', 1]]),
      })
      await directory.principals.delete(userId, actor)
      expect((await counts.read(organizationId, userId)).user).toEqual(new Map())
      const { id: partnerId } = await directory.partners.create({ displayName: 'P' }, actor)
      const partner = { ...owner, organizationId: partnerId }
      expect(await counts.reserve(partner, 'p', 1, 60_000)).toBe(1)
      await directory.partners.delete(partnerId, actor)
      expect((await counts.read(partnerId, '-')).organization).toEqual(new Map())
    })
  })
}

async function withOwner(open: () => Promise<Directory>) {
  const directory = await open()
  const { organizationId, userId } = await makeUser(directory)
  const counts = directory.resourceCounts
  const owner = { organizationId, principalId: undefined, quota: 'clusters' }
  const used = async () => (await counts.read(organizationId, '-')).organization.get('clusters')
  return { directory, counts, owner, userId, used }
}
