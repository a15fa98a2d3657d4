import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { openDirectory } from '../../src/directory/directory.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { openOnServer, peppers, testOptions } from './opening.ts'

const folder = join(import.meta.dirname, '../../src/directory/sql')

/** Every version of the schema, from the first to this program's. */
let versions: readonly { readonly version: number }[]
let postgres: TestPostgres
beforeAll(async () => {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.sql'))
  versions = files.map((_, index) => ({ version: index + 1 }))
  postgres = await startPostgres()
}, 60_000)
afterAll(() => postgres.stop())

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  onTestFinished(() => client.end())
  return client
}

test('gateways that start at the same time on an empty database end with one schema', async () => {
  const url = await postgres.createEmptyDatabase()
  await Promise.all([1, 2, 3, 4].map(() => openOnServer(url)))
  const client = await connect(url)
  const { rows } = await client.query('SELECT version FROM schema_migrations ORDER BY version')
  expect(rows).toEqual(versions)
})

test('a gateway that starts again finds the schema as it is, with what it holds', async () => {
  const url = await postgres.createEmptyDatabase()
  const first = await openOnServer(url)
  const { id } = await first.organizations.create({ displayName: 'Example' }, { id: 'u-operator' })
  const second = await openOnServer(url)
  expect(await second.organizations.list({ limit: 10 })).toMatchObject([
    { id, displayName: 'Example' },
  ])
})

test('what an earlier version wrote stays, also where several gateways migrate it at once', async () => {
  const url = await postgres.createEmptyDatabase()
  const client = await connect(url)
  const first = '0001-organizations-principals-api-keys.sql'
  await client.query(await readFile(join(folder, first), 'utf8'))
  await client.query(
    `CREATE TABLE schema_migrations (
       version integer PRIMARY KEY, name text NOT NULL,
       applied_at timestamptz NOT NULL DEFAULT now()
     );
     INSERT INTO schema_migrations (version, name) VALUES (1, '${first}');
     INSERT INTO organizations (display_name) VALUES ('Example');
     INSERT INTO principals (id, kind, organization_id, display_name, email)
       SELECT 'u-1', 'user', id, '', 'ada@example.com' FROM organizations;
     INSERT INTO api_keys (id, owner_id, opens, resource_kind, resource_id)
       VALUES ('AAAAAAAAAAAAAAAA', 'u-1', 'resource', 'kafka-cluster', 'lkc-1');
     INSERT INTO api_key_secrets (key_id, slot, digest, pepper_id)
       VALUES ('AAAAAAAAAAAAAAAA', 1, sha256('x'), 'p1')`,
  )
  const [gateway] = await Promise.all([1, 2, 3, 4].map(() => openOnServer(url)))
  const { rows } = await client.query('SELECT version FROM schema_migrations ORDER BY version')
  expect(rows).toEqual(versions)
  const key = await gateway?.findApiKey('AAAAAAAAAAAAAAAA')
  expect(key).toMatchObject({
    owner: { id: 'u-1' },
    resource: { kind: 'resource', resourceKind: 'kafka-cluster', id: 'lkc-1' },
    secrets: [{ pepperId: 'p1' }],
  })
  // What is new works with what is old.
  const organizationId = key?.owner.organizationId ?? ''
  const name = { resourceKind: 'kafka-cluster', resourceId: 'lkc-1' }
  const resource = await gateway?.resources.create(
    { organizationId, ...name },
    { id: 'u-operator' },
  )
  await gateway?.resources.delete(resource?.id ?? '', { id: 'u-operator' })
  expect(await gateway?.findApiKey('AAAAAAAAAAAAAAAA')).toBeUndefined()
})

test('what the version before this one wrote stays, and is changed as what is new', async () => {
  const url = await postgres.createEmptyDatabase()
  const client = await connect(url)
  await client.query(
    `CREATE TABLE schema_migrations (
       version integer PRIMARY KEY, name text NOT NULL,
       applied_at timestamptz NOT NULL DEFAULT now()
     )`,
  )
  const files = (await readdir(folder)).filter((file) => file.endsWith('.sql')).toSorted()
  for (const [index, file] of files.slice(0, -1).entries()) {
    await client.query(await readFile(join(folder, file), 'utf8'))
    const values = [index + 1, file]
    await client.query('INSERT INTO schema_migrations (version, name) VALUES ($1, $2)', values)
  }
  await client.query(
    `INSERT INTO organizations (display_name) VALUES ('Example');
     INSERT INTO limit_overrides (organization_id, limit_name, value)
       SELECT id, 'standard.user.requests', 7 FROM organizations`,
  )
  const written = 'SELECT id, organization_id FROM limit_overrides'
  const [before] = (await client.query<{ id: string; organization_id: string }>(written)).rows
  const gateway = await openOnServer(url)
  const { rows } = await client.query('SELECT version FROM schema_migrations ORDER BY version')
  expect(rows).toEqual(versions)
  const { id = '', organization_id: organizationId = '' } = before ?? {}
  const { limitOverrides } = gateway
  expect(await limitOverrides.find(id)).toMatchObject({ organizationId, limit: 7, version: 1 })
  const changed = await limitOverrides.update(id, { limit: 8 }, { id: 'u-operator' })
  expect(changed).toMatchObject({ id, limit: 8, version: 2 })
})

test('a schema that is newer than the program is refused, and not touched', async () => {
  const url = await postgres.createEmptyDatabase()
  await openOnServer(url)
  const client = await connect(url)
  await client.query("INSERT INTO schema_migrations (version, name) VALUES (999, 'later')")
  await expect(openOnServer(url)).rejects.toThrow(
    `The directory's schema has version 999, but this program knows versions up to ${versions.length} only. Start a newer Gatehouse, or restore a backup of the database.`,
  )
})

test('a migration that fails leaves nothing behind', async () => {
  const url = await postgres.createEmptyDatabase()
  const client = await connect(url)
  await client.query('CREATE TABLE api_keys (in_the_way integer)')
  await expect(openOnServer(url)).rejects.toThrow('api-keys.sql failed')
  const { rows } = await client.query<{ name: string }>(
    "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'",
  )
  expect(rows).toEqual([{ name: 'api_keys' }])
  await client.query('DROP TABLE api_keys')
  await openOnServer(url)
})

test('a server that cannot be reached is named, without its password', async () => {
  const url = 'postgresql://gatehouse:hunter2@127.0.0.1:1/gate'
  const opening = openDirectory({ ...testOptions().options, url, peppers })
  await expect(opening).rejects.toThrow(
    "The directory's PostgreSQL server at 127.0.0.1:1, database gate, cannot be reached",
  )
  await expect(opening).rejects.not.toThrow('hunter2')
})
