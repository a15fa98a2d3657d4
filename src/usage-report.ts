import { createReadStream } from 'node:fs'
import { table } from './cli/table.ts'
import { createUsageReport, linesOf } from './telemetry/usage.ts'

/**
 * Tell who called operations that end, from access logs.
 *
 * @param files paths; `-` is standard input
 * @param sunsets when operations end, by their ids, as far as it is known
 * @throws {Error} where a file cannot be read
 */
export async function usageReport(
  files: readonly string[],
  sunsets: ReadonlyMap<string, Date | undefined>,
  output: 'table' | 'json',
): Promise<string> {
  const report = createUsageReport()
  for (const file of files) {
    const pieces = file === '-' ? process.stdin.setEncoding('utf8') : createReadStream(file, 'utf8')
    for await (const line of linesOf(pieces)) report.add(line)
  }
  const rows = report.rows().map((row) => {
    const sunset = sunsets.get(row.operation)?.toISOString()
    return sunset === undefined ? row : { ...row, sunset }
  })
  const uncounted = report.uncounted()
  if (output === 'json') return `${JSON.stringify({ rows, uncounted }, null, 2)}\n`
  const headings = [
    'OPERATION',
    'STAGE',
    'SUNSET',
    'ORGANIZATION',
    'PRINCIPAL',
    'CALLS',
    'FIRST',
    'LAST',
  ]
  const cells = rows.map((row) => [
    row.operation,
    row.stage,
    'sunset' in row ? row.sunset : '-',
    row.organization || '-',
    row.principal || '-',
    String(row.count),
    row.first,
    row.last,
  ])
  const note = uncounted === 0 ? '' : `and ${uncounted} calls of others\n`
  return table(headings, cells) + note
}
