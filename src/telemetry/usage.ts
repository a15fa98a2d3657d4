/** Who called an operation that ends: by operation, organization and principal. */
export type Usage = {
  readonly operation: string
  readonly stage: string
  /** '' where nobody was known. */
  readonly organization: string
  readonly principal: string
  readonly count: number
  /** RFC 3339, as the lines have it. */
  readonly first: string
  readonly last: string
}

/** What lines of access logs say of operations that end, in bounded memory. */
export type UsageReport = {
  /** Take one line into account; whatever is no access line of such an operation is passed over. */
  readonly add: (line: string) => void
  /** The most frequent first. */
  readonly rows: () => readonly Usage[]
  /** Calls of callers for whom there was no room. */
  readonly uncounted: () => number
}

type Row = Usage & { count: number; first: string; last: string; stage: string }

/** @param maxRows callers and operations that are told apart; calls of others are `uncounted` */
export function createUsageReport(maxRows = 100_000): UsageReport {
  const rows = new Map<string, Row>()
  let uncounted = 0
  return {
    add(line) {
      const call = callOf(line)
      if (call === undefined) return
      const key = JSON.stringify([call.operation, call.organization, call.principal])
      const row = rows.get(key)
      if (row !== undefined) {
        row.count += 1
        row.stage = call.last > row.last ? call.stage : row.stage
        row.first = call.first < row.first ? call.first : row.first
        row.last = call.last > row.last ? call.last : row.last
      } else if (rows.size < maxRows) rows.set(key, call)
      else uncounted += 1
    },
    rows: () => [...rows.values()].toSorted((a, b) => b.count - a.count),
    uncounted: () => uncounted,
  }
}

function callOf(line: string): Row | undefined {
  // Most lines are of operations that go on: reading them as JSON would take most of the time.
  if (!line.includes('"stage":')) return undefined
  const record = parsed(line)
  const text = (name: string): string => {
    const value = record !== null && Object.hasOwn(record, name) ? record[name] : ''
    return typeof value === 'string' ? value : ''
  }
  const [operation, time, stage] = [text('operation'), text('time'), text('stage')]
  const isEnding = stage === 'deprecated' || stage === 'sunset'
  if (operation === '' || !isEnding || Number.isNaN(Date.parse(time))) return undefined
  const at = new Date(time).toISOString()
  return {
    operation,
    stage,
    organization: text('organization'),
    principal: text('principal'),
    ...{ count: 1, first: at, last: at },
  }
}

function parsed(line: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' ? (value as Readonly<Record<string, unknown>> | null) : null
  } catch {
    // A line of another program, or one that was cut: the others count all the same.
    return null
  }
}

/** No line of ours is longer; what is, is not gathered. */
const maxLineLength = 65_536

/** The lines of a text that comes in pieces; of one that is too long, nothing. */
export async function* linesOf(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = ''
  let isTooLong = false
  for await (const piece of pieces) {
    const [first = '', ...others] = piece.split('\n')
    for (const [index, part] of [first, ...others].entries()) {
      if (index > 0) {
        if (!isTooLong) yield rest
        rest = ''
        isTooLong = false
      }
      isTooLong ||= rest.length + part.length > maxLineLength
      rest = isTooLong ? '' : rest + part
    }
  }
  if (!isTooLong && rest !== '') yield rest
}
