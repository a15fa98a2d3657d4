/** Keys and indexes from the root of the configuration to a value. */
export type Path = readonly PropertyKey[]

/** One mistake and where it is. */
export type Problem = {
  readonly path: Path
  readonly message: string
  /** Offset in the text, where it is known better than by the path. */
  readonly offset?: number
}
