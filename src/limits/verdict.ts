/** One window of a decision, as it is after the decision. */
export type WindowState = {
  /** Requests that it still admits. */
  readonly remaining: number
  /**
   * Until it resets; the whole length of a window that has not begun. For one that slides, until as
   * much as was asked for would pass.
   */
  readonly msToReset: number
}

/** What a back end decided about one request. */
export type Verdict = {
  /**
   * Undefined where the request is admitted; else the place of the limit that denies it, its windows
   * counted first and then its slots, from 0.
   */
  readonly deniedBy: number | undefined
  /** In the order of the windows asked about. */
  readonly windows: readonly WindowState[]
  /** Of an admitted request: the names of shadow limits that would have denied it, if any. */
  readonly wouldDeny?: readonly string[] | undefined
}
