import pg from 'pg'
import type { Database, MigrationSession } from './database.ts'
import { withDeadline } from './deadline.ts'
import type { DirectoryLog } from './directory-log.ts'
import { meaningOf } from './failure.ts'
import { migrate } from './migrate.ts'
import { followChanges, type ChangeFeed } from './postgres-changes.ts'
import { createSession } from './session.ts'

type Options = {
  /** `postgresql://…` */
  readonly url: string
  /** Upper bound of pooled connections; the one for notifications comes on top. */
  readonly connections: number
  /** Deadline of one statement, the wait for a connection included. */
  readonly queryTimeoutMs: number
  readonly log: DirectoryLog
}

/** A migration may rewrite a large table, or wait for another process that does. */
const migrationTimeoutMs = 300_000

/**
 * Open a database on a PostgreSQL server and bring its schema up to date.
 *
 * @throws {Error} where the server cannot be reached or the schema is newer than this program
 */
export async function openPostgres(options: Options): Promise<Database> {
  const { url, connections, queryTimeoutMs, log } = options
  await migrateServer(url, queryTimeoutMs)
  const config = connectionConfig(url, queryTimeoutMs, queryTimeoutMs)
  const pool = new pg.Pool({ ...config, max: connections, idleTimeoutMillis: 60_000 })
  const open = openConnections(pool)
  noteLostConnections(pool, log)
  let feed: ChangeFeed | undefined
  return {
    query: sessionOn(pool, queryTimeoutMs).query,
    transaction: (work) => inTransaction(pool, queryTimeoutMs, work),
    listen: async (listener) => {
      feed = await followChanges(() => new pg.Client(config), listener)
    },
    close: async () => {
      await feed?.close()
      await withDeadline(pool.end(), queryTimeoutMs, 'closing the pool').catch(() => undefined)
      // A connection to a server that is frozen does not end by itself, and keeps the process.
      for (const client of open) client.connection.stream.destroy()
    },
  }
}

function connectionConfig(
  url: string,
  connectTimeoutMs: number,
  queryTimeoutMs: number,
): pg.ClientConfig {
  return {
    connectionString: url,
    fallback_application_name: 'gatehouse',
    keepAlive: true,
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: queryTimeoutMs,
    // The server gives up too, so that an abandoned statement holds neither locks nor processor.
    statement_timeout: queryTimeoutMs,
    idle_in_transaction_session_timeout: queryTimeoutMs,
  }
}

async function migrateServer(url: string, connectTimeoutMs: number): Promise<void> {
  const client = new pg.Client(connectionConfig(url, connectTimeoutMs, migrationTimeoutMs))
  client.on('error', () => undefined) // The call under way fails with the same error.
  try {
    await client.connect().catch((cause: unknown) => {
      throw new Error(`${nameOf(client)} cannot be reached`, { cause })
    })
    await transactionOn(client, migrationTimeoutMs, migrate)
  } finally {
    await client.end()
  }
}

/** Names the server without the credentials that its URL may hold. */
function nameOf({ host, port, database }: pg.Client): string {
  return `The directory's PostgreSQL server at ${host}:${port}, database ${database ?? '(default)'},`
}

/**
 * A connection that breaks emits `error`, in the pool and while it is lent out; without a listener
 * that would end the process. Whoever uses the connection sees its own call fail.
 */
function noteLostConnections(pool: pg.Pool, log: DirectoryLog): void {
  pool.on('connect', (client) => {
    client.on('error', () => undefined)
  })
  pool.on('error', (error) => {
    log.warn({ err: error }, 'an idle connection to PostgreSQL was lost')
  })
}

/** The connections that are open at the moment, in use or not. */
function openConnections(pool: pg.Pool): ReadonlySet<pg.Client> {
  const open = new Set<pg.Client>()
  pool.on('connect', (client) => {
    open.add(client)
    client.on('end', () => open.delete(client))
  })
  return open
}

async function inTransaction<Result>(
  pool: pg.Pool,
  deadlineMs: number,
  work: (session: MigrationSession) => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect().catch((error: unknown) => {
    throw meaningOf(error)
  })
  try {
    const result = await transactionOn(client, deadlineMs, work)
    client.release()
    return result
  } catch (error) {
    // Ending the connection rolls back, and does so too where the connection is what failed.
    client.release(true)
    throw error
  }
}

async function transactionOn<Result>(
  client: pg.ClientBase,
  deadlineMs: number,
  work: (session: MigrationSession) => Promise<Result>,
): Promise<Result> {
  const session = sessionOn(client, deadlineMs)
  await session.execute('BEGIN')
  const result = await work(session)
  await session.execute('COMMIT')
  return result
}

function sessionOn(connection: pg.Pool | pg.ClientBase, deadlineMs: number): MigrationSession {
  return createSession(
    {
      query: async (text, values, name) =>
        (await connection.query<Record<string, unknown>>({ text, values, name })).rows,
      execute: (script) => connection.query(script),
    },
    // The driver has deadlines for connecting and for the statement; this is for both together.
    deadlineMs,
  )
}
