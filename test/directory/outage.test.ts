import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openDirectory, type Directory } from '../../src/directory/directory.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { until } from '../support/until.ts'
import {
  actor,
  keyFromBefore,
  makeKey,
  openOnServer,
  peppers,
  present,
  testOptions,
} from './opening.ts'

let postgres: TestPostgres
beforeEach(async () => {
  postgres = await startPostgres()
}, 60_000)
afterEach(() => postgres.stop())

const unknown = { id: 'AAAAAAAAAAAAAAAA', secret: 'unknown' }

/** The promises that hold while the database is away, whatever ails it. */
async function expectToBearIt(
  directory: Directory,
  key: { readonly id: string; readonly secret: string },
): Promise<void> {
  await until(() => directory.health().notifications === 'lost')
  expect(await present(directory, key)).toBe('accepted')
  expect(await present(directory, { id: key.id, secret: 'wrong' })).toBe('CREDENTIAL_REJECTED')
  expect(await present(directory, unknown)).toBe('DIRECTORY_UNAVAILABLE')
  expect(directory.health().state).toBe('down')
  // From now on nobody waits for the database.
  expect(directory.findApiKey(key.id)).toMatchObject({ id: key.id })
  expect(() => directory.findApiKey(unknown.id)).toThrow('The credentials cannot be checked')
  expect(directory.findNoApiKey(key.id)).toBeUndefined()
  await expect(directory.apiKeys.revoke(key.id, actor)).rejects.toMatchObject({
    code: 'DIRECTORY_UNAVAILABLE',
  })
}

async function expectToBeBack(directory: Directory): Promise<void> {
  await until(() => directory.health().state === 'up')
  await until(() => directory.health().notifications === 'arriving')
  // A busy server may miss a deadline again before it keeps up.
  await until(async () => (await present(directory, unknown)) === 'CREDENTIAL_REJECTED')
  const key = await makeKey(directory)
  await until(async () => (await present(directory, key)) === 'accepted')
}

describe('when PostgreSQL is killed', () => {
  test('known keys work and nobody waits; when it is back, all works by itself', async () => {
    const url = await postgres.createDatabase()
    const key = await keyFromBefore(url)
    const directory = await openOnServer(url)
    expect(await present(directory, key)).toBe('accepted')
    const changes = Array.from({ length: 20 }, () =>
      directory.organizations
        .create({ displayName: 'Example' }, actor)
        .catch((error: unknown) => error),
    )
    await postgres.kill()
    for (const outcome of await Promise.all(changes)) {
      if (outcome instanceof Error) expect(outcome).toMatchObject({ code: 'DIRECTORY_UNAVAILABLE' })
    }
    await expectToBearIt(directory, key)
    await postgres.restart()
    await expectToBeBack(directory)
  }, 60_000)

  test('a key that is revoked when it is back is refused', async () => {
    const url = await postgres.createDatabase()
    const key = await keyFromBefore(url)
    const directory = await openOnServer(url)
    expect(await present(directory, key)).toBe('accepted')
    await postgres.kill()
    await until(() => directory.health().notifications === 'lost')
    expect(await present(directory, key)).toBe('accepted')
    await postgres.restart()
    await (await openOnServer(url)).apiKeys.revoke(key.id, actor)
    await until(async () => (await present(directory, key)) === 'CREDENTIAL_REJECTED')
  }, 60_000)
})

describe('when PostgreSQL is frozen', () => {
  test('known keys work and nobody waits; when it goes on, all works by itself', async () => {
    const url = await postgres.createDatabase()
    const key = await keyFromBefore(url)
    const directory = await openOnServer(url, { queryTimeoutMs: 300 })
    expect(await present(directory, key)).toBe('accepted')
    postgres.freeze()
    await expectToBearIt(directory, key)
    postgres.thaw()
    await expectToBeBack(directory)
  }, 60_000)

  test('a directory that is to be opened is refused', async () => {
    const url = await postgres.createDatabase()
    postgres.freeze()
    await expect(openOnServer(url, { queryTimeoutMs: 300 })).rejects.toThrow('cannot be reached')
  }, 60_000)

  test('a directory closes all the same', async () => {
    const url = await postgres.createDatabase()
    const directory = await openDirectory({ ...testOptions().options, url, peppers })
    await makeKey(directory)
    postgres.freeze()
    await directory.close()
  }, 60_000)
})
