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
      await directory.limitOverrides.create({ organizationId, limitName, limit: 7 }, actor)
      expect([find(), find(userId), find(userId, 'other')]).toEqual([7, 7, undefined])
      const own = { organizationId, principalId: userId, limitName }
      const { id } = await directory.limitOverrides.create({ ...own, limit: 9 }, actor)
      expect([find(), find(userId), find('u-other')]).toEqual([7, 9, 7])
      await directory.limitOverrides.update(id, { limit: 8 }, actor)
      expect(find(userId)).toBe(8)
      await directory.limitOverrides.delete(id, actor)
      expect(find(userId)).toBe(7)
    })

    test('is there once, and what becomes of it is written down', async () => {
      const { directory, organizationId } = await withUser(open)
      const { limitOverrides } = directory
      const name = { organizationId, limitName }
      const { id, version } = await limitOverrides.create({ ...name, limit: 7 }, actor)
      await expect(limitOverrides.create({ ...name, limit: 9 }, actor)).rejects.toMatchObject({
        code: 'CONFLICT',
        details: 'This limit is overridden already.',
      })
      const changed = await limitOverrides.update(id, ({ limit }) => ({ limit: limit + 1 }), actor)
      expect(changed).toMatchObject({ id, ...name, limit: 8, version: version + 1 })
      expect(await limitOverrides.findNamed(name)).toEqual(changed)
      await limitOverrides.delete(id, actor)
      const events = await directory.auditEvents.list(organizationId, { limit: 3 })
      expect(events).toMatchObject([
        { action: 'limit-override.deleted', subject: { id }, before: { limit: 8 } },
        { action: 'limit-override.updated', before: { limit: 7 }, after: { limit: 8 } },
        { action: 'limit-override.created', after: { limit_name: limitName, limit: 7 } },
      ])
      // Another one of the same name is another object.
      expect((await limitOverrides.create({ ...name, limit: 7 }, actor)).id).not.toBe(id)
    })

    test('is kept where whoever looks at it first refuses', async () => {
      const { directory, organizationId } = await withUser(open)
      const { limitOverrides } = directory
      const { id } = await limitOverrides.create({ organizationId, limitName, limit: 7 }, actor)
      const refusal = new Error('not this one')
      const refuse = (): never => {
        throw refusal
      }
      await expect(limitOverrides.update(id, refuse, actor)).rejects.toBe(refusal)
      await expect(limitOverrides.delete(id, actor, refuse)).rejects.toBe(refusal)
      expect(await limitOverrides.find(id)).toMatchObject({ limit: 7, version: 1 })
    })

    test('goes with its principal, its organization or its partner', async () => {
      const { directory, organizationId, userId } = await withUser(open)
      const { id: partnerId } = await directory.partners.create({ displayName: 'P' }, actor)
      const own = { organizationId, principalId: userId, limitName }
      await directory.limitOverrides.create({ ...own, limit: 2 }, actor)
      await directory.limitOverrides.create(
        { organizationId: partnerId, limitName, limit: 3 },
        actor,
      )
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
        const invalid = limitOverrides.create({ organizationId, limitName, limit }, actor)
        await expect(invalid).rejects.toMatchObject({ code: 'VALIDATION_FAILED' })
      }
      const missing = { code: 'RESOURCE_NOT_FOUND' }
      const nobody = '00000000-0000-4000-8000-000000000000'
      for (const id of [nobody, 'partner-none']) {
        const unknown = limitOverrides.create({ organizationId: id, limitName, limit: 1 }, actor)
        await expect(unknown).rejects.toMatchObject(missing)
      }
      await expect(limitOverrides.update('none', { limit: 1 }, actor)).rejects.toMatchObject(
        missing,
      )
      await expect(limitOverrides.delete('none', actor)).rejects.toMatchObject(missing)
      const { id } = await limitOverrides.create({ organizationId, limitName, limit: 1 }, actor)
      await expect(limitOverrides.update(id, { limit: 0 }, actor)).rejects.toMatchObject({
        code: 'VALIDATION_FAILED',
      })
    })
  })
}

async function withUser(open: () => Promise<Directory>) {
  const directory = await open()
  return { directory, ...(await makeUser(directory)) }
}
