import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { openPostgres } from '../../src/directory/postgres.ts'
import { madeOnce } from './made-once.ts'
import {
  ended,
  findProgram,
  freePort,
  signalTree,
  startServer,
  type Identity,
} from './processes.ts'
import { until } from './until.ts'

/** A private PostgreSQL that a test may break. */
export type TestPostgres = {
  readonly url: string
  /**
   * A new database with the directory's schema, and nothing in it; or a copy of another one, which
   * nobody is connected to.
   */
  createDatabase(original?: string): Promise<string>
  /** A new database without any schema. */
  createEmptyDatabase(): Promise<string>
  /** SIGKILL to the server and all its backends. */
  kill(): Promise<void>
  /** SIGSTOP: connections stay open and nothing answers. */
  freeze(): void
  /** SIGCONT. */
  thaw(): void
  /** Start again on the same port with the data as it was. */
  restart(): Promise<void>
  /** End in good order, and leave the files. */
  shutDown(): Promise<void>
  stop(): Promise<void>
}

const runFile = promisify(execFile)

/** The database that others are copied from; nobody connects to it. */
const withSchema = 'with_schema'

export async function startPostgres(): Promise<TestPostgres> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-postgres-'))
  await chmod(folder, 0o777)
  const data = join(folder, 'data')
  // `-a` keeps whose the files are: the server refuses those of another user.
  await runFile('cp', ['-a', join(await preparedFiles(), 'data'), data])
  return serve(folder)
}

/** Serve the files in a folder's `data`. */
async function serve(folder: string): Promise<TestPostgres> {
  const port = await freePort()
  const settings = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: folder,
    fsync: 'off',
    // In its folder, which is removed: what a killed server has elsewhere in memory stays there.
    dynamic_shared_memory_type: 'mmap',
  }
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const run = () =>
    startServer(postgresProgram('postgres'), ['-D', join(folder, 'data'), ...args], {
      identity: serverIdentity(),
    })
  const url = `postgresql://gatehouse@127.0.0.1:${port}/postgres`
  let server = run()
  await until(() => answersQuery(url), 60_000)

  async function kill(): Promise<void> {
    if (server.pid !== undefined) signalTree(server.pid, 'SIGKILL')
    await ended(server)
  }

  async function create(template: string): Promise<string> {
    const name = `test_${randomBytes(8).toString('hex')}`
    await query(url, `CREATE DATABASE ${name} TEMPLATE ${template} STRATEGY file_copy`)
    return databaseOf(url, name)
  }

  return {
    url,
    createDatabase: (original) =>
      create(original === undefined ? withSchema : new URL(original).pathname.slice(1)),
    createEmptyDatabase: () => create('template0'),
    kill,
    freeze: () => {
      if (server.pid !== undefined) signalTree(server.pid, 'SIGSTOP')
    },
    thaw: () => {
      if (server.pid !== undefined) signalTree(server.pid, 'SIGCONT')
    },
    async restart() {
      await kill()
      server = run()
      await until(() => answersQuery(url), 60_000)
    },
    async shutDown() {
      server.kill('SIGINT')
      await ended(server)
    },
    async stop() {
      await kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** The files of a server with a database that others are copied from. */
function preparedFiles(): Promise<string> {
  return madeOnce(`postgres-${userInfo().uid}`, async (unfinished) => {
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-postgres-'))
    await chmod(folder, 0o777)
    const data = join(folder, 'data')
    const args = ['-D', data, '-U', 'gatehouse', '--auth=trust', '--no-sync', '-E', 'UTF8']
    await runFile(postgresProgram('initdb'), args, { cwd: folder, ...serverIdentity() })
    await makeSchema(folder)
    await runFile('cp', ['-a', data, unfinished])
    await rm(folder, { recursive: true })
  })
}

async function makeSchema(folder: string): Promise<void> {
  const server = await serve(folder)
  await query(server.url, `CREATE DATABASE ${withSchema}`)
  const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined }
  const url = databaseOf(server.url, withSchema)
  const database = await openPostgres({ url, connections: 1, queryTimeoutMs: 60_000, log: quiet })
  await database.close()
  // So that what is copied needs no recovery each time it is started.
  await server.shutDown()
}

function databaseOf(url: string, name: string): string {
  return url.replace(/postgres$/, name)
}

/** PostgreSQL refuses to run as root; `nobody` has this number everywhere. */
function serverIdentity(): Identity | undefined {
  return userInfo().uid === 0 ? { uid: 65_534, gid: 65_534 } : undefined
}

/** The path of a program of PostgreSQL. */
function postgresProgram(name: string): string {
  const given = process.env['GATEHOUSE_TEST_POSTGRES_BIN']
  const program = findProgram(name, given === undefined ? installedFolders() : [given])
  if (program === undefined) throw new Error(`${name} is not installed; run "npm test"`)
  return program
}

/** Debian keeps the programs of each version in a folder of their own. */
export function installedFolders(root = '/usr/lib/postgresql'): string[] {
  try {
    return readdirSync(root).map((version) => join(root, version, 'bin'))
  } catch {
    // No such folder: not Debian, or not installed.
    return []
  }
}

async function answersQuery(url: string): Promise<boolean> {
  try {
    await query(url, 'SELECT 1')
    return true
  } catch {
    // Not up yet.
    return false
  }
}

async function query(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 })
  client.on('error', () => undefined)
  await client.connect()
  try {
    await client.query(text)
  } finally {
    await client.end()
  }
}
