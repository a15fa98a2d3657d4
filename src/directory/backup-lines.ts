import { hkdfSync } from 'node:crypto'
import { z } from 'zod'
import type { Pepper, Peppers } from './pepper.ts'
import { backedUpTables, type BackedUpTable } from './sql/backup.ts'

/** Of the lines themselves; what the rows hold goes by the schema's version. */
const formatVersion = 1

const Header = z.object({
  gatehouse: z.literal('directory'),
  version: z.int(),
  schema: z.int(),
  exportedAt: z.string(),
  peppers: z.array(z.object({ id: z.string(), check: z.string() })),
})

/** The first line of an export. */
export type BackupHeader = z.infer<typeof Header>

const Row = z.object({ table: z.enum(backedUpTables), row: z.object({}) })
const End = z.object({ end: z.literal(true), rows: z.int() })

/** A line after the first: a row, or the end and how many rows came before it. */
export type BackupLine =
  | { readonly kind: 'row'; readonly table: BackedUpTable }
  | { readonly kind: 'end'; readonly rows: number }
  | { readonly kind: 'unreadable' }

export function headerLine(schema: number, peppers: Peppers, exportedAt: Date): string {
  const header: BackupHeader = {
    gatehouse: 'directory',
    version: formatVersion,
    schema,
    exportedAt: exportedAt.toISOString(),
    peppers: checksOf(peppers),
  }
  return JSON.stringify(header)
}

/** @param row as JSON */
export function rowLine(table: BackedUpTable, row: string): string {
  return `{"table":"${table}","row":${row}}`
}

export function endLine(rows: number): string {
  return JSON.stringify({ end: true, rows })
}

/**
 * Read the first line of an export, and see that this directory can hold what follows.
 *
 * @param schema the version that this directory has
 * @throws {Error} for the operator
 */
export function readHeader(line: string | undefined, schema: number, peppers: Peppers): void {
  const header = Header.safeParse(parsed(line ?? '')).data
  if (header === undefined) throw new Error('The file is no export of a Gatehouse directory')
  if (header.version > formatVersion || header.schema > schema)
    throw new Error(
      `The export is of a newer Gatehouse: it has version ${header.version} and schema ${header.schema}, and this program knows versions up to ${formatVersion} and schemas up to ${schema} only`,
    )
  const known = new Set(checksOf(peppers).map(({ id, check }) => `${id} ${check}`))
  for (const { id, check } of header.peppers) {
    if (!known.has(`${id} ${check}`))
      throw new Error(
        `The export was made with a pepper "${id}" that is not configured here, or that is another secret: without it, no key of the export would open anything`,
      )
  }
}

export function readLine(line: string): BackupLine {
  const value = parsed(line)
  const row = Row.safeParse(value).data
  if (row !== undefined) return { kind: 'row', table: row.table }
  const end = End.safeParse(value).data
  return end === undefined ? { kind: 'unreadable' } : { kind: 'end', rows: end.rows }
}

/** Two peppers with one check are the same; a check tells no more of a pepper than a digest does. */
function checksOf({ current, previous }: Peppers): BackupHeader['peppers'] {
  const checkOf = ({ secret }: Pepper): string =>
    Buffer.from(hkdfSync('sha256', secret, '', 'gatehouse export check 1', 16)).toString('hex')
  return [current, ...previous].map((pepper) => ({ id: pepper.id, check: checkOf(pepper) }))
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    // Whatever it is, it is not what was looked for.
    return undefined
  }
}
