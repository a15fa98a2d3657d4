/** A resource as the command line names it. */
export type NamedResource = {
  readonly kind: string
  readonly id: string
  /** Where the id alone names no single one. */
  readonly environment: string | undefined
}

/**
 * Read `KIND:ID`, or `KIND:ID@ENVIRONMENT`.
 *
 * @returns undefined where a text is neither
 */
export function namedResource(text: string): NamedResource | undefined {
  const [, kind, id, environment] = /^([A-Za-z][A-Za-z0-9-]*):([^@]+)(?:@(.+))?$/.exec(text) ?? []
  return kind === undefined || id === undefined ? undefined : { kind, id, environment }
}
