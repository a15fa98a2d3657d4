/** The row of a statement that answers exactly one, as `INSERT … RETURNING` does. */
export function oneRow<Row>([row]: readonly Row[]): Row {
  if (row === undefined) throw new Error('A statement that answers one row answered none')
  return row
}
