import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { CatalogError } from '../../src/catalog/catalog-error.ts'
import { loadConfiguration } from '../../src/config/load.ts'
import { compileGroups } from '../../src/groups.ts'
import { writeConfiguration } from '../support/configuration.ts'
import { configurationOf, problemsOf, smallest } from './written.ts'

const everything = { operations: [{ group: '*' }] }

test('there is a role that may do everything, unless the configuration says what it may', async () => {
  expect((await configurationOf(smallest)).roles).toEqual({ OrganizationAdmin: everything })
  const less = { operations: [{ group: 'demo/v1' }] }
  const roles = { OrganizationAdmin: less, Viewer: everything }
  expect((await configurationOf({ ...smallest, roles })).roles).toEqual(roles)
})

describe('a role that cannot be meant is refused', () => {
  test.each([
    ['without operations', { Viewer: { operations: [] } }],
    ['with an operation of no group', { Viewer: { operations: [{ methods: ['GET'] }] } }],
    ['with a method in lower case', { Viewer: { operations: [{ group: '*', methods: ['get'] }] } }],
    ['with no methods', { Viewer: { operations: [{ group: '*', methods: [] }] } }],
    ['with a space in a pattern', { Viewer: { operations: [{ group: 'iam v2' }] } }],
    ['with a key that is not known', { Viewer: { ...everything, inherits: 'Other' } }],
    ['with a name that is none', { 'a role': everything }],
  ])('%s', async (_what, roles) => {
    expect(await problemsOf({ ...smallest, roles })).toHaveLength(1)
  })
})

test('a role that names no operation that is served fails the check, by its name', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-roles-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const file = await writeConfiguration(folder, {
    groups: [{ name: 'a/v1', paths: { '/a': { get: {} } }, upstreamUrl: 'http://127.0.0.1:1' }],
    configuration: {
      roles: { Writer: { operations: [{ group: 'a/v1' }, { group: 'a/v1', methods: ['POST'] }] } },
    },
  })
  const compiling = compileGroups(await loadConfiguration(file, {}))
  await expect(compiling).rejects.toThrow(CatalogError)
  await expect(compiling).rejects.toMatchObject({
    problems: ['role "Writer": operations.1 names no operation'],
  })
})
