import { endLine, headerLine, rowLine } from './backup-lines.ts'
import type { Database, Session } from './database.ts'
import type { Peppers } from './pepper.ts'
import {
  backedUpTables,
  closeRows,
  nextRows,
  openRows,
  seeOneMoment,
  type BackedUpTable,
} from './sql/backup.ts'
import { readVersion } from './sql/migrations.ts'

/** Takes lines of an export, without their line ends. The next ones come when it has resolved. */
export type WriteLines = (lines: readonly string[]) => Promise<void>

/**
 * Write the whole directory as it is at one moment. It holds digests of secrets and sealed private
 * keys, which are of use to nobody without the peppers; those are not in it.
 *
 * @throws {GatewayError} DIRECTORY_UNAVAILABLE, and whatever `write` rejects with
 */
export async function exportDirectory(
  { transaction }: Pick<Database, 'transaction'>,
  peppers: Peppers,
  write: WriteLines,
): Promise<void> {
  await transaction(async (session) => {
    await session.query(seeOneMoment)
    const [schema] = await session.query(readVersion)
    await write([headerLine(schema?.version ?? 0, peppers, new Date())])
    let rows = 0
    for (const table of backedUpTables) rows += await exportTable(session, table, write)
    await write([endLine(rows)])
  })
}

/** A cursor, since a table may be larger than memory. Resolves with the number of rows. */
async function exportTable(
  session: Session,
  table: BackedUpTable,
  write: WriteLines,
): Promise<number> {
  await session.query(openRows(table))
  let total = 0
  for (;;) {
    const rows = await session.query(nextRows)
    if (rows.length === 0) break
    await write(rows.map(({ row }) => rowLine(table, row)))
    total += rows.length
  }
  await session.query(closeRows)
  return total
}
