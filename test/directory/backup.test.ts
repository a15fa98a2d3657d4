import pg from 'pg'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { openDirectory, type Directory } from '../../src/directory/directory.ts'
import { backedUpTables } from '../../src/directory/sql/backup.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import {
  actor,
  makeClient,
  makePool,
  openInFolder,
  openOnServer,
  peppers,
  present,
  temporaryFolder,
  testOptions,
} from './opening.ts'

let postgres: TestPostgres
beforeAll(async () => {
  postgres = await startPostgres()
}, 60_000)
afterAll(() => postgres.stop())

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  onTestFinished(() => client.end())
  return client
}

/** Something of every kind. */
async function fill(directory: Directory): Promise<{ key: { id: string; secret: string } }> {
  const { organizationId, userId: ownerId, poolId: principalId } = await makePool(directory)
  await makeClient(directory)
  await directory.environments.create({ organizationId, displayName: 'production' }, actor)
  const override = { organizationId, limitName: 'standard.user.requests', limit: 7 }
  await directory.limitOverrides.create(override, actor)
  const counted = { organizationId, principalId: undefined, quota: 'clusters' }
  await directory.resourceCounts.count(counted, 'c1', 1)
  await directory.resourceCounts.reserve(counted, 'c2', 9, 60_000)
  const key = await directory.apiKeys.create({ ownerId, resource: { kind: 'cloud' } }, actor)
  const resource = { resourceKind: 'kafka-cluster', resourceId: 'lkc-1' }
  await directory.resources.create({ organizationId, ...resource }, actor)
  await directory.accessGrants.create({ organizationId, name: 'early' }, actor)
  const crnPattern = `crn://confluent.cloud/organization=${organizationId}`
  await directory.roleBindings.create({ organizationId, principalId, role: 'A', crnPattern }, actor)
  await directory.keyRotation.ensure('EdDSA', actor)
  await directory.revokeToken('t1', Date.now() + 600_000, actor)
  await directory.useAssertion('client', 'j1', Date.now() + 600_000)
  directory.touchLastUsed(key.id)
  return { key }
}

/** An export of a directory that holds something of every kind, and the key that it has. */
async function exported(url: string): Promise<{
  readonly lines: readonly string[]
  readonly key: { readonly id: string; readonly secret: string }
}> {
  const first = await openDirectory({ ...testOptions().options, url, peppers })
  const { key } = await fill(first)
  // Closing writes which keys were used.
  await first.close()
  return { key, lines: await linesOf(await openOnServer(url)) }
}

async function linesOf(directory: Directory): Promise<readonly string[]> {
  const lines: string[] = []
  await directory.exportTo((more) => {
    lines.push(...more)
    return Promise.resolve()
  })
  return lines
}

async function* each(lines: readonly string[]): AsyncGenerator<string> {
  for (const line of lines) yield await Promise.resolve(line)
}

function importInto(directory: Directory, lines: readonly string[]): Promise<void> {
  return directory.importFrom(each(lines), { id: 'cli' })
}

/** What a table holds, row by row. */
async function rowsOf(client: pg.Client, table: string): Promise<readonly string[]> {
  const sql = `SELECT to_jsonb(t)::text AS row FROM ${table} t
    WHERE to_jsonb(t) ->> 'action' IS DISTINCT FROM 'directory.imported'`
  const { rows } = await client.query<{ row: string }>(sql)
  return rows.map(({ row }) => row).toSorted()
}

/** Change one line of an export. */
function withLine(
  lines: readonly string[],
  index: number,
  change: (line: string) => string,
): readonly string[] {
  return lines.with(index, change(lines.at(index) ?? ''))
}

test('every table is in an export, and comes back row by row as it was', async () => {
  const url = await postgres.createDatabase()
  const { lines } = await exported(url)
  const other = await postgres.createDatabase()
  await importInto(await openOnServer(other), lines)
  const [before, after] = [await connect(url), await connect(other)]
  const { rows } = await before.query<{ name: string }>(
    `SELECT tablename AS name FROM pg_tables
     WHERE schemaname = 'public' AND tablename <> 'schema_migrations'`,
  )
  expect(rows.map(({ name }) => name).toSorted()).toEqual([...backedUpTables].toSorted())
  for (const table of backedUpTables) {
    const kept = await rowsOf(before, table)
    expect(kept, table).not.toEqual([])
    expect(await rowsOf(after, table), table).toEqual(kept)
  }
})

describe('a key that was made before', () => {
  test('opens what it opened, in a new database', async () => {
    const { lines, key } = await exported(await postgres.createDatabase())
    const restored = await openOnServer(await postgres.createDatabase())
    await importInto(restored, lines)
    expect(await present(restored, key)).toBe('accepted')
    expect(await present(restored, { ...key, secret: `${key.secret}x` })).toBe(
      'CREDENTIAL_REJECTED',
    )
  })

  test('opens what it opened, from a server in a folder and back', async () => {
    const { lines, key } = await exported(await postgres.createDatabase())
    const inFolder = await openInFolder(await temporaryFolder())
    await importInto(inFolder, lines)
    expect(await present(inFolder, key)).toBe('accepted')
    const back = await openOnServer(await postgres.createDatabase())
    await importInto(back, await linesOf(inFolder))
    expect(await present(back, key)).toBe('accepted')
  }, 60_000)
})

test('what was imported goes on: signing, revocations, and what is written down after it', async () => {
  const url = await postgres.createDatabase()
  const { lines } = await exported(url)
  const restored = await openDirectory({
    ...testOptions().options,
    url: await postgres.createDatabase(),
    peppers,
  })
  onTestFinished(() => restored.close())
  await importInto(restored, lines)
  const [imported] = await restored.listAuditEvents(undefined, { limit: 1 })
  expect(imported).toMatchObject({ action: 'directory.imported', actorId: 'cli' })
  const before = await openOnServer(url)
  const [last] = await before.listAuditEvents(undefined, { limit: 1 })
  expect(Number(imported?.id)).toBeGreaterThan(Number(last?.id))
  await restored.keyRotation.ensure('EdDSA', actor)
  const { current } = restored.signingKeys() ?? {}
  expect(current?.kid).toBe(before.signingKeys()?.current.kid)
  expect(current?.privateKey).toBeDefined()
  expect(await restored.isEmpty()).toBe(false)
})

test('an export holds no secret in clear', async () => {
  const url = await postgres.createDatabase()
  const { lines, key } = await exported(url)
  const text = lines.join('\n')
  const { d = '' } = (await openOnServer(url))
    .signingKeys()
    ?.current.privateKey?.export({ format: 'jwk' }) ?? { d: '' }
  expect(d).not.toBe('')
  const secrets = [key.secret, key.secret.slice(10), d, peppers.current.secret]
  for (const secret of secrets) {
    expect(text).not.toContain(secret)
    expect(text).not.toContain(Buffer.from(secret).toString('hex'))
    expect(text).not.toContain(Buffer.from(secret).toString('base64url'))
  }
  expect(text).not.toContain(Buffer.from(d, 'base64url').toString('hex'))
})

describe('an import is refused, and leaves nothing,', () => {
  let lines: readonly string[]
  beforeAll(async () => {
    const url = await postgres.createDatabase()
    const directory = await openDirectory({ ...testOptions().options, url, peppers })
    await fill(directory)
    lines = await linesOf(directory)
    await directory.close()
  })

  test('where the directory holds anything already', async () => {
    const directory = await openOnServer(await postgres.createDatabase())
    await directory.keyRotation.ensure('EdDSA', actor)
    await expect(importInto(directory, lines)).rejects.toThrow('The directory is not empty')
    expect(await directory.isEmpty()).toBe(true)
  })

  test.each<[string, (whole: readonly string[]) => readonly string[], string]>([
    ['of a file that is something else', () => ['{"a":1}'], 'is no export of a Gatehouse'],
    ['of an empty file', () => [], 'is no export of a Gatehouse'],
    [
      'of a newer format',
      (whole) => withLine(whole, 0, (line) => line.replace('"version":1', '"version":2')),
      'is of a newer Gatehouse: it has version 2 and schema',
    ],
    [
      'of a newer schema',
      (whole) => withLine(whole, 0, (line) => line.replace(/"schema":\d+/, '"schema":999')),
      'is of a newer Gatehouse: it has version 1 and schema 999',
    ],
    ['that is cut off', (whole) => whole.slice(0, -1), 'The export is cut off after line'],
    ['that lacks a row', (whole) => whole.toSpliced(-2, 1), 'rows, but says that it had'],
    [
      'that has a line that is no row',
      (whole) => withLine(whole, 2, () => '{"table":"pg_authid","row":{}}'),
      'Line 3 of the export is no row of it',
    ],
    [
      'that has a row that cannot be',
      (whole) =>
        withLine(whole, 1, (line) => line.replace(/"display_name": ?"[^"]*"/, '"display_name":""')),
      'something is wrong among the 1 rows of organizations before line 3',
    ],
  ])('%s', async (_what, damage, message) => {
    const directory = await openOnServer(await postgres.createDatabase())
    await expect(importInto(directory, damage(lines))).rejects.toThrow(message)
    expect(await directory.isEmpty()).toBe(true)
    expect(await directory.listAuditEvents(undefined, { limit: 10 })).toEqual([])
    await importInto(directory, lines)
  })

  test('of another pepper, by whichever id', async () => {
    for (const id of ['p1', 'p2']) {
      const current = { id, secret: 'another pepper, and long enough too' }
      const url = await postgres.createDatabase()
      const other = { ...testOptions().options, url, peppers: { current, previous: [] } }
      const directory = await openDirectory(other)
      onTestFinished(() => directory.close())
      await expect(importInto(directory, lines)).rejects.toThrow(
        'was made with a pepper "p1" that is not configured here',
      )
    }
  })
})

test('of two imports at the same time, one is made', async () => {
  const { lines } = await exported(await postgres.createDatabase())
  const url = await postgres.createDatabase()
  const directories = [await openOnServer(url), await openOnServer(url)]
  const outcomes = await Promise.allSettled(directories.map((each) => importInto(each, lines)))
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
})

test('rows of an earlier schema get what is new by default', async () => {
  const { lines } = await exported(await postgres.createDatabase())
  const earlier = lines.map((line) => line.replace(/"description": ?"[^"]*", ?/, ''))
  const url = await postgres.createDatabase()
  await importInto(await openOnServer(url), earlier)
  const { rows } = await (await connect(url)).query('SELECT description FROM identity_pools')
  expect(rows).toEqual([{ description: '' }])
})

test('more rows than one statement takes come back, and are exported at one moment', async () => {
  const url = await postgres.createDatabase()
  const directory = await openOnServer(url)
  await fill(directory)
  const client = await connect(url)
  await client.query(
    `INSERT INTO audit_events (actor_id, action, subject_kind, subject_id)
     SELECT 'u-x', 'a.b', 'a', n::text FROM generate_series(1, 1700) AS n`,
  )
  const lines: string[] = []
  await directory.exportTo(async (more) => {
    if (lines.length === 0) await client.query('DELETE FROM audit_events')
    lines.push(...more)
  })
  const other = await postgres.createDatabase()
  await importInto(await openOnServer(other), lines)
  const { rows } = await (
    await connect(other)
  ).query(`SELECT count(*)::int4 AS total FROM audit_events WHERE action = 'a.b'`)
  expect(rows).toEqual([{ total: 1700 }])
})
