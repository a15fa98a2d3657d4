import { describe, expect, test } from 'vitest'
import type { Directory } from '../../src/directory/directory.ts'
import { actor, makeUser } from './opening.ts'

const everything = { limit: 1000 }
const missing = { code: 'RESOURCE_NOT_FOUND' }

/**
 * What a directory guarantees about environments, wherever it is kept.
 *
 * @param open opens an empty directory, and closes it when the test ends
 */
export function describeEnvironments(open: () => Promise<Directory>): void {
  describe('an environment', () => {
    test('is found as it was made and changed, and each change is written down', async () => {
      const directory = await open()
      const { environments, auditEvents } = directory
      const { organizationId } = await makeUser(directory)
      const made = await environments.create({ organizationId, displayName: 'test' }, actor)
      const { id } = made
      expect(id).toMatch(/^env-[\da-z]{10}$/)
      expect(made).toMatchObject({ organizationId, displayName: 'test', version: 1 })
      expect(await environments.find(id)).toEqual(made)
      const changed = await environments.update(id, { displayName: 'stage' }, actor)
      expect(changed).toMatchObject({ id, displayName: 'stage', version: 2 })
      expect(changed.createdAtMs).toBe(made.createdAtMs)
      await environments.delete(id, actor)
      expect(await environments.find(id)).toBeUndefined()
      const events = await auditEvents.list(organizationId, everything, { subjectId: id })
      expect(events.map(({ action, before, after }) => [action, before, after])).toEqual([
        ['environment.deleted', expect.objectContaining({ display_name: 'stage' }), undefined],
        [
          'environment.updated',
          expect.objectContaining({ display_name: 'test' }),
          expect.objectContaining({ display_name: 'stage' }),
        ],
        ['environment.created', undefined, expect.objectContaining({ display_name: 'test' })],
      ])
    })

    test('stays as it is where the decision to change or delete it throws', async () => {
      const directory = await open()
      const { environments } = directory
      const { organizationId } = await makeUser(directory)
      const made = await environments.create({ organizationId, displayName: 'test' }, actor)
      const refuse = (): never => {
        throw new Error('no')
      }
      await expect(environments.update(made.id, refuse, actor)).rejects.toThrow('no')
      await expect(environments.delete(made.id, actor, refuse)).rejects.toThrow('no')
      expect(await environments.find(made.id)).toEqual(made)
    })

    test('that would be there twice conflicts, within one organization only', async () => {
      const directory = await open()
      const { environments } = directory
      const { organizationId } = await makeUser(directory)
      await environments.create({ organizationId, displayName: 'test' }, actor)
      const twice = {
        code: 'CONFLICT',
        details: 'The organization has an environment with this name.',
      }
      const again = environments.create({ organizationId, displayName: 'test' }, actor)
      await expect(again).rejects.toMatchObject(twice)
      const { id } = await environments.create({ organizationId, displayName: 'other' }, actor)
      const renamed = environments.update(id, { displayName: 'test' }, actor)
      await expect(renamed).rejects.toMatchObject(twice)
      const { organizationId: theirs } = await makeUser(directory)
      await environments.create({ organizationId: theirs, displayName: 'test' }, actor)
    })

    test('needs an organization that exists, and a name', async () => {
      const directory = await open()
      const { environments } = directory
      const nowhere = '00000000-0000-4000-8000-000000000000'
      const lost = environments.create({ organizationId: nowhere, displayName: 'test' }, actor)
      await expect(lost).rejects.toMatchObject(missing)
      await expect(environments.update('env-none', {}, actor)).rejects.toMatchObject(missing)
      await expect(environments.delete('env-none', actor)).rejects.toMatchObject(missing)
      const { organizationId } = await makeUser(directory)
      for (const displayName of ['', 'x'.repeat(256), 'a\0b'])
        await expect(
          environments.create({ organizationId, displayName }, actor),
        ).rejects.toMatchObject({ code: 'VALIDATION_FAILED' })
    })

    test('is listed in pages in both directions, by name, and counted', async () => {
      const directory = await open()
      const { environments } = directory
      const { organizationId } = await makeUser(directory)
      for (const displayName of ['a', 'b', 'c'])
        await environments.create({ organizationId, displayName }, actor)
      await environments.create(
        { organizationId: (await makeUser(directory)).organizationId, displayName: 'a' },
        actor,
      )
      const all = await environments.list(organizationId, everything)
      const ids = all.map(({ id }) => id)
      expect(ids).toEqual(ids.toSorted())
      expect(ids).toHaveLength(3)
      const [first = '', , last = ''] = ids
      const pages = [
        [{ limit: 2 }, all.slice(0, 2)],
        [{ after: first, limit: 2 }, all.slice(1)],
        [{ before: last, limit: 1 }, all.slice(1, 2)],
        [{ atEnd: true, limit: 2 }, all.slice(1)],
      ] as const
      for (const [page, found] of pages)
        expect(await environments.list(organizationId, page)).toEqual(found)
      expect(await environments.count(organizationId)).toBe(3)
      const named = { displayName: 'b' }
      expect(await environments.list(organizationId, everything, named)).toHaveLength(1)
      expect(await environments.count(organizationId, named)).toBe(1)
    })
  })
}
