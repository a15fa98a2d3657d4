/** What one line of the access log tells. Undefined members are left out. */
export type AccessRecord = Readonly<Record<string, string | number | boolean | undefined>>

/**
 * One line of the access log, as the log's other lines are made. The record is flat and holds nothing that
 * JSON has no name for but numbers that are none, so JSON's own way of writing it does: it knows of nothing
 * that could run while it writes, and takes half of what joining pieces takes.
 *
 * @param time RFC 3339
 */
export function accessLine(time: string, record: AccessRecord): string {
  const members = JSON.stringify(record).slice(1)
  const separator = members === '}' ? '' : ','
  const line = `{"level":"info","time":"${time}"${separator}${members}\n`
  return unescaped.test(line) ? line.replaceAll(everyUnescaped, escaped) : line
}

/** JSON leaves these as they are; some terminals obey them, and some readers end a line there. */
const unescaped = /[\x7f-\x9f\u2028\u2029]/
const everyUnescaped = new RegExp(unescaped, 'g')

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
