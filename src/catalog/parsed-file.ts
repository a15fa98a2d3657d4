import {
  binaryTag,
  CORE_SCHEMA,
  loadAll,
  mergeTag,
  omapTag,
  pairsTag,
  setTag,
  YAMLException,
} from 'js-yaml'
import { createFindPlace, type FindPlace } from './text-place.ts'

/** One file of an OpenAPI document, parsed. */
export type ParsedFile = {
  /** Absolute. */
  readonly path: string
  readonly parsed: unknown
  readonly findPlace: FindPlace
}

/** As in YAML 1.1 but for what JSON does not have: times stay text, and only `true` and `false` are flags. */
const schema = CORE_SCHEMA.withTags(mergeTag, binaryTag, omapTag, pairsTag, setTag)

/**
 * Parse YAML or JSON.
 *
 * @throws {YAMLException} with the place where the parser gave up
 */
export function parseFile(path: string, text: string): ParsedFile {
  const [parsed, ...more] = loadAll(text, { schema, filename: path })
  if (more.length > 0) throw new YAMLException('it holds more than one document')
  return { path, parsed, findPlace: createFindPlace(text) }
}
