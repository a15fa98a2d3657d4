/**
 * What becomes of a record: changes to make whatever it is, or to decide while nobody else changes
 * it. Such a decision throws to leave the record as it is, and to have the change fail.
 */
export type Edit<Before, Changes> = Changes | ((before: Before) => Changes)

/** Decide an edit. */
export function decided<Before, Changes extends object>(
  edit: Edit<Before, Changes>,
  before: Before,
): Changes {
  return typeof edit === 'function' ? edit(before) : edit
}

/** Looks at a record before it is deleted, while nobody else changes it; throws to keep it. */
export type Check<Before> = (before: Before) => void
