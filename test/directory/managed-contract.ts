import { describe, expect, test } from 'vitest'
import type { Directory } from '../../src/directory/directory.ts'
import type { Page } from '../../src/directory/page.ts'
import { actor, makePool, makeUser } from './opening.ts'

const everything = { limit: 1000 }
const missing = { code: 'RESOURCE_NOT_FOUND' }

const refuse = (): never => {
  throw new Error('no')
}

/** Hold the pages of a list against the whole of it, in both directions. */
async function expectPages(
  read: (page: Page) => Promise<readonly { readonly id: string }[]>,
): Promise<void> {
  const all = await read(everything)
  expect(all.length).toBeGreaterThan(2)
  expect(all).toEqual(all.toSorted((a, b) => (a.id < b.id ? -1 : 1)))
  const [first = '', last = ''] = [all[0]?.id, all.at(-1)?.id]
  const pages: readonly (readonly [Page, readonly object[]])[] = [
    [{ limit: 2 }, all.slice(0, 2)],
    [{ after: first, limit: 1 }, all.slice(1, 2)],
    [{ before: last, limit: 1 }, all.slice(-2, -1)],
    [{ atEnd: true, limit: 2 }, all.slice(-2)],
  ]
  for (const [page, found] of pages) expect(await read(page)).toEqual(found)
}

/**
 * What a directory guarantees about what is managed over an API, wherever it is kept.
 *
 * @param open opens an empty directory, and closes it when the test ends
 */
export function describeManagedParts(open: () => Promise<Directory>): void {
  test('an organization is found and renamed, with a version, and the audit has both names', async () => {
    const { organizations, auditEvents } = await open()
    const made = await organizations.create({ displayName: 'Example' }, actor)
    expect(made).toMatchObject({ displayName: 'Example', version: 1 })
    expect(await organizations.find(made.id)).toEqual(made)
    await expect(organizations.update(made.id, refuse, actor)).rejects.toThrow('no')
    const renamed = await organizations.update(made.id, { displayName: 'Renamed' }, actor)
    expect(renamed).toMatchObject({ id: made.id, displayName: 'Renamed', version: 2 })
    expect(await organizations.find(made.id)).toEqual(renamed)
    const [event] = await auditEvents.list(made.id, { limit: 1 })
    expect(event).toMatchObject({
      action: 'organization.updated',
      before: { display_name: 'Example' },
      after: { display_name: 'Renamed' },
    })
    const nowhere = '00000000-0000-4000-8000-000000000000'
    expect(await organizations.find(nowhere)).toBeUndefined()
    await expect(organizations.update(nowhere, {}, actor)).rejects.toMatchObject(missing)
  })

  describe('an identity provider', () => {
    test('has a version, is changed by a decision, and is kept where that throws', async () => {
      const directory = await open()
      const { identityProviders, auditEvents } = directory
      const { organizationId, providerId: id } = await makePool(directory)
      const before = await identityProviders.find(id)
      expect(before).toMatchObject({ id, organizationId, version: 1 })
      await expect(identityProviders.update(id, refuse, actor)).rejects.toThrow('no')
      await expect(identityProviders.delete(id, actor, refuse)).rejects.toThrow('no')
      expect(await identityProviders.find(id)).toEqual(before)
      const edit = ({ description }: { description: string }) => ({
        description: `${description} And more.`,
      })
      const after = await identityProviders.update(id, edit, actor)
      expect(after).toMatchObject({ description: 'Everybody. And more.', version: 2 })
      expect(await identityProviders.find(id)).toEqual(after)
      const [event] = await auditEvents.list(organizationId, { limit: 1 })
      expect(event).toMatchObject({
        before: { description: 'Everybody.' },
        after: { description: 'Everybody. And more.' },
      })
      await identityProviders.delete(id, actor)
      expect(await identityProviders.find(id)).toBeUndefined()
    })

    test('is listed in pages in both directions, by issuer, and counted', async () => {
      const directory = await open()
      const { identityProviders } = directory
      const { organizationId } = await makePool(directory)
      await makePool(directory)
      for (const issuer of ['https://a', 'https://b'])
        await identityProviders.create({ organizationId, displayName: 'p', issuer }, actor)
      await expectPages((page) => identityProviders.list(organizationId, page))
      expect(await identityProviders.count(organizationId)).toBe(3)
      const by = { issuer: 'https://a' }
      expect(await identityProviders.list(organizationId, everything, by)).toMatchObject([by])
      expect(await identityProviders.count(organizationId, by)).toBe(1)
    })
  })

  describe('an identity pool', () => {
    test('has a version, is changed by a decision, and is kept where that throws', async () => {
      const directory = await open()
      const { identityPools } = directory
      const { providerId, poolId: id } = await makePool(directory)
      const before = await identityPools.find(id)
      expect(before).toMatchObject({ id, providerId, version: 1 })
      await expect(identityPools.update(id, refuse, actor)).rejects.toThrow('no')
      await expect(identityPools.delete(id, actor, refuse)).rejects.toThrow('no')
      expect(await identityPools.find(id)).toEqual(before)
      const after = await identityPools.update(id, () => ({ filter: 'false' }), actor)
      expect(after).toMatchObject({ filter: 'false', displayName: 'All', version: 2 })
      expect(await identityPools.find(id)).toEqual(after)
    })

    test('is listed in pages in both directions, and counted', async () => {
      const directory = await open()
      const { identityPools } = directory
      const { providerId } = await makePool(directory)
      await makePool(directory)
      const pool = { providerId, displayName: 'P', identityClaim: 'claims.sub', filter: 'true' }
      await identityPools.create(pool, actor)
      await identityPools.create(pool, actor)
      await expectPages((page) => identityPools.list(providerId, page))
      expect(await identityPools.count(providerId)).toBe(3)
    })
  })

  test('a role binding is read backwards too, kept where a check throws, and told as it was', async () => {
    const directory = await open()
    const { roleBindings, auditEvents } = directory
    const { organizationId, userId: principalId } = await makeUser(directory)
    const crnPattern = `crn://confluent.cloud/organization=${organizationId}`
    for (const role of ['A', 'B', 'C'])
      await roleBindings.create({ organizationId, principalId, role, crnPattern }, actor)
    await expectPages((page) => roleBindings.list(organizationId, page))
    const [one] = await roleBindings.list(organizationId, { limit: 1 })
    const id = one?.id ?? ''
    await expect(roleBindings.delete(id, actor, refuse)).rejects.toThrow('no')
    expect(await roleBindings.find(id)).toEqual(one)
    await roleBindings.delete(id, actor)
    const [event] = await auditEvents.list(organizationId, { limit: 1 })
    expect(event).toMatchObject({
      action: 'role-binding.deleted',
      before: { principal_id: principalId, role: one?.role },
    })
  })
}
