import { parseAllDocuments } from 'yaml'
import type { Json } from './client.ts'
import { CliError, exitCodes } from './exit.ts'

/**
 * The objects of a YAML or JSON text: several documents, or lists of objects.
 *
 * @throws {CliError} where it is malformed, or holds anything but objects
 */
export function objectsIn(text: string, name: string): readonly Json[] {
  const documents = parseAllDocuments(text)
  if (!Array.isArray(documents)) return []
  const error = documents.flatMap(({ errors }) => errors)[0]
  if (error !== undefined) throw new CliError(exitCodes.usage, `${name}: ${error.message}`)
  const values = documents.flatMap((document) => document.toJS({ maxAliasCount: 100 }) as unknown)
  return values
    .flat()
    .filter((value) => value !== null)
    .map((value) => objectOf(value, name))
}

function objectOf(value: unknown, name: string): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json
  throw new CliError(exitCodes.usage, `${name} holds something that is no object`)
}

/** A value given on the command line: JSON where it is that, else the text itself. */
export function valueOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}
