/** A part of a list. */
export type Page = {
  /** The id that the part begins after; absent: the beginning. */
  readonly after?: string
  /** How many at most. */
  readonly limit: number
}
