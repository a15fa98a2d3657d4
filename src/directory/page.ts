/** A part of a list, in the list's order. */
export type Page = {
  /** The id that the part begins after; absent: the beginning. */
  readonly after?: string
  /** The id that the part ends before, in place of `after`. */
  readonly before?: string
  /** The part at the end of the list, in place of both. */
  readonly atEnd?: boolean
  /** How many at most. */
  readonly limit: number
}

/** As the statements of pages take it: where to begin, in which direction, and how many. */
export type Cursor = readonly [from: string | undefined, isBackward: boolean, limit: number]

/** What a page is, as the last three parameters of its statement. */
export function cursorOf({ after, before, atEnd = false, limit }: Page): Cursor {
  return before !== undefined || atEnd ? [before, true, limit] : [after, false, limit]
}
