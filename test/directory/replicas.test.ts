import pg from 'pg'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { openDirectory, type Directory } from '../../src/directory/directory.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { until } from '../support/until.ts'
import {
  actor,
  keyFromBefore,
  openOnServer,
  peppers,
  present,
  testOptions,
  type MadeKey,
} from './opening.ts'

let postgres: TestPostgres
beforeAll(async () => {
  postgres = await startPostgres()
}, 60_000)
afterAll(() => postgres.stop())

/** Nothing becomes old by itself in these tests, so what is forgotten was told. */
const forever = { maxEntries: 1000, maxAgeMs: 1e9, staleMs: 1e9, negativeMs: 1e9 }

/** Two gateways on one database with a key, and an operator who works on the database by hand. */
async function setUp(): Promise<{
  url: string
  key: MadeKey
  here: Directory
  there: Directory
  byHand: pg.Client
}> {
  const url = await postgres.createDatabase()
  const key = await keyFromBefore(url)
  // One connection, so that who is cut off needs no new one for what it asks at the same time.
  const here = await openOnServer(url, { cache: forever, connections: 1 })
  const there = await openOnServer(url, { cache: forever, connections: 1 })
  const byHand = new pg.Client({ connectionString: url, application_name: 'by-hand' })
  await byHand.connect()
  onTestFinished(() => byHand.end())
  return { url, key, here, there, byHand }
}

type Key = { readonly id: string; readonly secret: string }

async function cacheKey(directory: Directory, key: Key): Promise<void> {
  expect(await present(directory, key)).toBe('accepted')
  expect(directory.findApiKey(key.id)).not.toBeInstanceOf(Promise)
}

async function untilRefused(directory: Directory, key: Key): Promise<void> {
  await until(async () => (await present(directory, key)) === 'CREDENTIAL_REJECTED')
}

/** The connection on which a gateway listens to changes; two gateways have two. */
async function listeners(byHand: pg.Client): Promise<readonly number[]> {
  const { rows } = await byHand.query<{ pid: number }>(
    `SELECT pid FROM pg_stat_activity
     WHERE datname = current_database() AND query IN ('LISTEN gatehouse_directory', 'SELECT 1')
     ORDER BY backend_start`,
  )
  return rows.map(({ pid }) => pid)
}

describe('a change made by one gateway counts at the others', () => {
  test('when a key is revoked', async () => {
    const { key, here, there } = await setUp()
    await cacheKey(there, key)
    await here.apiKeys.revoke(key.id, actor)
    await untilRefused(there, key)
  })

  test('when the owner of a key is deleted', async () => {
    const { key, here, there } = await setUp()
    await cacheKey(there, key)
    await here.principals.delete(key.userId, actor)
    await untilRefused(there, key)
  })

  test('when a key is to expire', async () => {
    const { key, here, there } = await setUp()
    await cacheKey(there, key)
    await here.apiKeys.setExpiry(key.id, Date.now() - 1000, actor)
    await untilRefused(there, key)
  })

  test('when a key gets a second secret', async () => {
    const { key, here, there } = await setUp()
    await cacheKey(there, key)
    const { secret } = await here.apiKeys.addSecret({ keyId: key.id }, actor)
    await until(async () => (await present(there, { id: key.id, secret })) === 'accepted')
    expect(await present(there, key)).toBe('accepted')
  })

  test('when the older of two secrets is retired', async () => {
    const { key, here, there } = await setUp()
    const { secret } = await here.apiKeys.addSecret({ keyId: key.id }, actor)
    await until(async () => (await present(there, { id: key.id, secret })) === 'accepted')
    await here.apiKeys.retireOlderSecret(key.id, actor)
    await untilRefused(there, key)
    expect(await present(there, { id: key.id, secret })).toBe('accepted')
  })

  test('when a key appears whose id was just looked for in vain', async () => {
    const { key, there, byHand } = await setUp()
    const id = 'AAAAAAAAAAAAAAAA'
    expect(await there.findApiKey(id)).toBeUndefined()
    await byHand.query(`INSERT INTO api_keys (id, owner_id, opens) VALUES ($1, $2, 'cloud')`, [
      id,
      key.userId,
    ])
    await until(async () => (await there.findApiKey(id)) !== undefined)
  })

  test.each([
    ['deletes the organization', 'DELETE FROM organizations'],
    ['deletes a secret', 'DELETE FROM api_key_secrets'],
    ['revokes every key', 'UPDATE api_keys SET revoked_at = now()'],
  ])('when an operator %s by hand', async (_what, sql) => {
    const { key, here, byHand } = await setUp()
    await cacheKey(here, key)
    await byHand.query(sql)
    await untilRefused(here, key)
  })

  test('when something is told that this version does not know', async () => {
    const { key, here, byHand } = await setUp()
    await cacheKey(here, key)
    await byHand.query('ALTER TABLE api_keys DISABLE TRIGGER api_key_changed')
    await byHand.query('UPDATE api_keys SET revoked_at = now()')
    expect(await present(here, key)).toBe('accepted')
    await byHand.query(`NOTIFY gatehouse_directory, 'news from the future'`)
    await untilRefused(here, key)
  })
})

describe('a change that was not told counts', () => {
  /** Revoke every key without a notification. */
  async function revokeSilently(byHand: pg.Client): Promise<void> {
    await byHand.query('ALTER TABLE api_keys DISABLE TRIGGER api_key_changed')
    await byHand.query('UPDATE api_keys SET revoked_at = now()')
  }

  /** Cut the gateways' listening connections, and allow no new connections until told. */
  async function cutOff(byHand: pg.Client): Promise<{ letBack: () => Promise<void> }> {
    const database = byHand.database ?? ''
    const admin = new pg.Client({ connectionString: postgres.url })
    await admin.connect()
    onTestFinished(() => admin.end())
    await admin.query(`ALTER DATABASE ${database} ALLOW_CONNECTIONS false`)
    for (const pid of await listeners(byHand))
      await byHand.query('SELECT pg_terminate_backend($1)', [pid])
    return {
      letBack: async () => {
        await admin.query(`ALTER DATABASE ${database} ALLOW_CONNECTIONS true`)
      },
    }
  }

  test('as soon as the connection for notifications is found to be lost', async () => {
    const { key, here, byHand } = await setUp()
    await cacheKey(here, key)
    await revokeSilently(byHand)
    expect(await present(here, key)).toBe('accepted')
    await cutOff(byHand)
    await until(() => here.health().notifications === 'lost')
    // Its look-ups go on over connections that it has.
    expect(await present(here, key)).toBe('CREDENTIAL_REJECTED')
    expect(here.health()).toEqual({ state: 'up', notifications: 'lost' })
  })

  test('as soon as that connection gives no sign of life', async () => {
    const { key, here, byHand } = await setUp()
    await cacheKey(here, key)
    await revokeSilently(byHand)
    expect(await present(here, key)).toBe('accepted')
    for (const pid of await listeners(byHand)) {
      process.kill(pid, 'SIGSTOP')
      onTestFinished(() => {
        process.kill(pid, 'SIGCONT')
      })
    }
    await untilRefused(here, key)
    await until(() => here.health().notifications === 'arriving')
  })

  test('when it was made between the loss and the return of that connection', async () => {
    const { key, here, byHand } = await setUp()
    await cacheKey(here, key)
    const { letBack } = await cutOff(byHand)
    await until(() => here.health().notifications === 'lost')
    await cacheKey(here, key)
    await revokeSilently(byHand)
    expect(await present(here, key)).toBe('accepted')
    await letBack()
    await until(() => here.health().notifications === 'arriving')
    expect(await present(here, key)).toBe('CREDENTIAL_REJECTED')
  })
})

test('the last use of a key is noted, and a key that is gone does not hinder it', async () => {
  const { url, key, here } = await setUp()
  const lastUse = async (): Promise<number | undefined> =>
    (await here.apiKeys.list(key.organizationId, { limit: 1 }))[0]?.lastUsedAtMs
  expect(await lastUse()).toBeUndefined()
  const leaving = await openDirectory({ ...testOptions().options, url, peppers })
  leaving.touchLastUsed(key.id)
  leaving.touchLastUsed('AAAAAAAAAAAAAAAA')
  await leaving.close()
  expect(await lastUse()).toBeTypeOf('number')
})
