/** What one line of the access log tells. Undefined members are left out. */
export type AccessRecord = Readonly<Record<string, string | number | boolean | undefined>>

/** Text that stands in JSON as it is: nothing to escape, no lone surrogate, nothing a terminal obeys. */
const plain = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/

/**
 * One line of the access log, as the log's other lines are made, but by concatenation: a record is
 * flat and its members are known, so walking it as any object costs several times as much.
 *
 * @param time RFC 3339
 */
export function accessLine(time: string, record: AccessRecord): string {
  // One look at all texts together: nearly always none has to be escaped.
  let texts = ''
  for (const name in record) {
    const value = record[name]
    if (typeof value === 'string') texts += value
  }
  const quoted = plain.test(texts) ? asItIs : escaped
  let line = `{"level":"info","time":"${time}"`
  for (const name in record) {
    const value = record[name]
    if (value === undefined) continue
    line += `,"${name}":${typeof value === 'string' ? quoted(value) : String(finite(value))}`
  }
  return `${line}}\n`
}

/** JSON has no name for what is not a number. */
function finite(value: number | boolean): number | boolean | null {
  return Number.isNaN(value) ? null : value
}

function asItIs(value: string): string {
  return `"${value}"`
}

/** JSON leaves these as they are; some terminals obey them, and some readers end a line there. */
function escaped(value: string): string {
  return JSON.stringify(value).replaceAll(
    /[\x7f-\x9f\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** The present instant in RFC 3339, made anew once a millisecond. */
export function createTimestamp(now: () => number): () => string {
  let atMs = Number.NaN
  let text = ''
  return () => {
    const nowMs = now()
    if (nowMs !== atMs) {
      atMs = nowMs
      text = new Date(nowMs).toISOString()
    }
    return text
  }
}
