import { GatewayError } from '../errors/gateway-error.ts'
import { readHeader, readLine } from './backup-lines.ts'
import type { Change } from './change.ts'
import type { Session } from './database.ts'
import type { Peppers } from './pepper.ts'
import { anyRow, continueAuditIds, importRows, type BackedUpTable } from './sql/backup.ts'
import { readVersion } from './sql/migrations.ts'
import { lockBootstrap } from './sql/organizations.ts'

/** Rows that one statement inserts, at most, and the length of their text. */
const maxBatchRows = 500
const maxBatchLength = 4_000_000

/**
 * Put an export into an empty directory, within a change. The lines are read while they are put
 * there, so an export may be larger than memory.
 *
 * @throws {Error} for the operator, where the directory is not empty, or the export is of a newer
 *   program, of other peppers, not whole, or damaged
 * @throws {GatewayError} DIRECTORY_UNAVAILABLE
 */
export async function importDirectory(
  change: Change,
  peppers: Peppers,
  lines: AsyncIterable<string>,
): Promise<void> {
  // Held until the commit: neither a first start nor another import fills the directory meanwhile.
  await change.query(lockBootstrap)
  await requireEmpty(change)
  await importLines(change, peppers, lines)
  await change.query(continueAuditIds)
  await change.record('directory.imported', undefined, 'directory')
}

async function requireEmpty(session: Session): Promise<void> {
  const [found] = await session.query(anyRow)
  if (found?.is_filled !== false)
    throw new Error(
      'The directory is not empty: an export is imported into a new database, before any gateway was started on it',
    )
}

async function importLines(
  session: Session,
  peppers: Peppers,
  lines: AsyncIterable<string>,
): Promise<void> {
  const [schema] = await session.query(readVersion)
  let batch: Batch | undefined
  let number = 0
  let rows = 0
  for await (const line of lines) {
    number += 1
    if (number === 1) {
      readHeader(line, schema?.version ?? 0, peppers)
      continue
    }
    const read = readLine(line)
    if (read.kind === 'end') {
      await insert(session, batch, number)
      if (read.rows === rows) return
      throw new Error(`The export has ${rows} rows, but says that it had ${read.rows}`)
    }
    if (read.kind === 'unreadable') throw new Error(`Line ${number} of the export is no row of it`)
    if (batch === undefined || isFull(batch) || batch.table !== read.table) {
      await insert(session, batch, number)
      batch = { table: read.table, lines: [], length: 0 }
    }
    batch.lines.push(line)
    batch.length += line.length
    rows += 1
  }
  if (number === 0) readHeader(undefined, 0, peppers)
  throw new Error(`The export is cut off after line ${number}`)
}

/** Rows of one table that are inserted together. */
type Batch = { readonly table: BackedUpTable; readonly lines: string[]; length: number }

function isFull({ lines, length }: Batch): boolean {
  return lines.length >= maxBatchRows || length >= maxBatchLength
}

/** The lines go as they are, so that no number in them is rounded on its way. */
async function insert(session: Session, batch: Batch | undefined, before: number): Promise<void> {
  if (batch === undefined) return
  const { table, lines } = batch
  try {
    await session.query(importRows, table, `[${lines.join(',')}]`)
  } catch (cause) {
    if (cause instanceof GatewayError && cause.code === 'DIRECTORY_UNAVAILABLE') throw cause
    const place = `among the ${lines.length} rows of ${table} before line ${before}`
    throw new Error(`The export cannot be imported: something is wrong ${place}`, { cause })
  }
}
