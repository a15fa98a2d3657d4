import { describe, expect, test } from 'vitest'
import type { Directory } from '../../src/directory/directory.ts'
import { actor, makeUser } from './opening.ts'

/**
 * What a directory guarantees about overrides of limits, wherever it is kept.
 *
 * @param open opens an empty directory, and closes it when the test ends
 */
export function describeLimitOverrides(open: () => Promise<Directory>): void {
  describe('an override of a limit', () => {
    const limitName = 'standard.user.requests'

    test('holds for the organization, and for a principal in the place of the organization’s', async () => {
      const { directory, organizationId, userId } = await withUser(open)
      const find = (principalId?: string, name = limitName) =>
        directory.limitOverrideFinder()(organizationId, principalId, name)
      expect(find(userId)).toBeUndefined()
      await directory.limitOverrides.set({ organizationId, limitName, limit: 7 }, actor)
      expect([find(), find(userId), find(userId, 'other')]).toEqual([7, 7, undefined])
      const own = { organizationId, principalId: userId, limitName }
      await directory.limitOverrides.set({ ...own, limit: 9 }, actor)
      expect([find(), find(userId), find('u-other')]).toEqual([7, 9, 7])
      await directory.limitOverrides.delete(own, actor)
      expect(find(userId)).toBe(7)
    })

    test('set again takes the place of the one before, and is written down each time', async () => {
      const { directory, organizationId } = await withUser(open)
      for (const limit of [7, 8])
        await directory.limitOverrides.set({ organizationId, limitName, limit }, actor)
      const listed = await directory.limitOverrides.list(organizationId, { limit: 10 })
      expect(listed).toMatchObject([{ organizationId, limitName, limit: 8 }])
      await directory.limitOverrides.delete({ organizationId, limitName }, actor)
      const events = await directory.listAuditEvents(organizationId, { limit: 3 })
      expect(events.map(({ action, subject }) => `${action} ${subject.id}`)).toEqual([
        `limit-override.deleted ${limitName}`,
        `limit-override.set ${limitName}`,
        `limit-override.set ${limitName}`,
      ])
    })

    test('is listed page by page', async () => {
      const { directory, organizationId, userId } = await withUser(open)
      const names = [
        { limitName: 'a' },
        { limitName: 'b' },
        { principalId: userId, limitName: 'a' },
      ]
      for (const name of names)
        await directory.limitOverrides.set({ organizationId, ...name, limit: 5 }, actor)
      const [first, second] = await directory.limitOverrides.list(organizationId, { limit: 2 })
      if (second === undefined) throw new Error('There is no second one')
      const rest = await directory.limitOverrides.list(organizationId, { after: second, limit: 2 })
      expect([first, second, ...rest]).toMatchObject(names)
      expect(rest).toHaveLength(1)
    })

    test('goes with its principal, its organization or its partner', async () => {
      const { directory, organizationId, userId } = await withUser(open)
      const { id: partnerId } = await directory.partners.create({ displayName: 'P' }, actor)
      const own = { organizationId, principalId: userId, limitName }
      await directory.limitOverrides.set({ ...own, limit: 2 }, actor)
      await directory.limitOverrides.set({ organizationId: partnerId, limitName, limit: 3 }, actor)
      expect(directory.limitOverrideFinder()(partnerId, partnerId, limitName)).toBe(3)
      await directory.principals.delete(userId, actor)
      expect(await directory.limitOverrides.list(organizationId, { limit: 10 })).toEqual([])
      await directory.partners.delete(partnerId, actor)
      expect(await directory.limitOverrides.list(partnerId, { limit: 10 })).toEqual([])
    })

    test('is refused where it is no positive whole number, or for nobody', async () => {
      const { directory, organizationId } = await withUser(open)
      const { limitOverrides } = directory
      for (const limit of [0, -1, 1.5, NaN, Infinity, 2 ** 53]) {
        const invalid = limitOverrides.set({ organizationId, limitName, limit }, actor)
        await expect(invalid).rejects.toMatchObject({ code: 'VALIDATION_FAILED' })
      }
      const missing = { code: 'RESOURCE_NOT_FOUND' }
      const nobody = '00000000-0000-4000-8000-000000000000'
      for (const id of [nobody, 'partner-none']) {
        const unknown = limitOverrides.set({ organizationId: id, limitName, limit: 1 }, actor)
        await expect(unknown).rejects.toMatchObject(missing)
        const gone = limitOverrides.delete({ organizationId: id, limitName }, actor)
        await expect(gone).rejects.toMatchObject(missing)
      }
    })
  })
}

async function withUser(open: () => Promise<Directory>) {
  const directory = await open()
  return { directory, ...(await makeUser(directory)) }
}
