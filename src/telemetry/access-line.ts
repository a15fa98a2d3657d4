/** What one line of the access log tells. Undefined members are left out. */
export type AccessRecord = Readonly<Record<string, string | number | boolean | undefined>>

/** Text that stands in JSON as it is: nothing to escape, no lone surrogate, nothing a terminal obeys. */
const plain = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/

/**
 * One line of the access log, as the log's other lines are made, but from pieces: a record is flat and
 * its members are known, so walking it as any object costs several times as much. They are joined,
 * since text that is added to text is a tree of as many objects as there were additions.
 *
 * @param time RFC 3339
 */
export function accessLine(time: string, record: AccessRecord): string {
  pieces[0] = '{"level":"info","time":"'
  pieces[1] = time
  pieces[2] = '"'
  let count = 3
  for (const name in record) {
    const value = record[name]
    if (value === undefined) continue
    pieces[count] = openingOf(name)
    if (typeof value === 'string' && plain.test(value)) {
      // Text that is put in quotes would be one more object.
      pieces[count + 1] = '"'
      pieces[count + 2] = value
      pieces[count + 3] = '"'
      count += 4
    } else {
      pieces[count + 1] = typeof value === 'string' ? escaped(value) : String(finite(value))
      count += 2
    }
  }
  pieces[count] = '}\n'
  pieces.length = count + 1
  return pieces.join('')
}

/** Used again for each line, so that it has not to grow. */
const pieces: string[] = []

/** What stands before the value of a member; there are as many as the record has members. */
function openingOf(name: string): string {
  const known = openings.get(name)
  if (known !== undefined) return known
  const opening = `,"${name}":`
  openings.set(name, opening)
  return opening
}

const openings = new Map<string, string>()

/** JSON has no name for what is not a number. */
function finite(value: number | boolean): number | boolean | null {
  return Number.isNaN(value) ? null : value
}

/** JSON leaves these as they are; some terminals obey them, and some readers end a line there. */
function escaped(value: string): string {
  return JSON.stringify(value).replaceAll(
    /[\x7f-\x9f\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
