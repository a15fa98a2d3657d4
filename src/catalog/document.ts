import { isObject, memberOf, textOf } from './json.ts'
import { readReferences, type ReferenceTarget } from './references.ts'
import { createLocalFiles } from './local-files.ts'

/** A parsed OpenAPI document with all the files that it consists of. */
export type OpenApiDocument = {
  readonly version: '3.0' | '3.1' | '3.2'
  readonly root: unknown
  /** Where references lead, by the object that has the `$ref`. */
  readonly targets: ReadonlyMap<object, ReferenceTarget>
  /** Absolute paths of the files that it consists of. */
  readonly files: readonly string[]
  /** The absolute path of one of the parsed files. */
  readonly fileOf: (root: unknown) => string | undefined
  /** Where a JSON Pointer into one of the parsed files stands; absent where the root is none of them. */
  readonly placeOf: (root: unknown, pointer: string) => Place | undefined
}

/** A place in a file; lines count from 1. */
export type Place = { readonly file: string; readonly line: number }

/**
 * Read an OpenAPI document, YAML or JSON, and the local files that it refers to.
 *
 * Nothing is fetched from a network, and no file outside the document's folder is read. Whether
 * the document is valid is not checked: what the catalog does not need may be wrong or missing.
 *
 * @param path of the document's file; absolute
 * @throws {Error} whose message names the file, the place where there is one, and the reason
 */
export async function loadDocument(path: string): Promise<OpenApiDocument> {
  // Loaded here since it takes a third of a second, which only some commands need.
  const redocly = await import('@redocly/openapi-core')
  const files = await createLocalFiles(redocly, path)
  const file = await files.read(path)
  if (file.kind !== 'read') {
    const place = (file.kind === 'refused' ? file.place : undefined) ?? path
    throw new Error(`${place}: it cannot be read: ${file.reason}`)
  }
  const { parsed: root } = file.document
  const version = versionOf(root, path)
  const { targets, refusals, documents } = await readReferences(redocly, files, file.document)
  if (refusals.length > 0) throw new Error(refusals.join('\n  '))
  const pathOf = new Map([...documents].map(([name, each]) => [each.parsed, name]))
  const placeOf = (parsed: unknown, pointer: string): Place | undefined => {
    const found = [...documents.values()].find((each) => each.parsed === parsed)
    if (found === undefined) return undefined
    const { source } = found
    const location = { source, pointer: `#${pointer}`, reportOnKey: true }
    return { file: source.absoluteRef, line: redocly.getLineColLocation(location).start.line }
  }
  const fileOf = (parsed: unknown): string | undefined => pathOf.get(parsed)
  return { version, root, targets, files: files.asked(), fileOf, placeOf }
}

function versionOf(root: unknown, path: string): OpenApiDocument['version'] {
  if (!isObject(root)) throw new Error(`${path}: this is not an OpenAPI document`)
  const version = textOf(root['openapi']) ?? ''
  if (version.startsWith('3.0.')) return '3.0'
  if (version.startsWith('3.1.')) return '3.1'
  if (version.startsWith('3.2.')) return '3.2'
  if (root['swagger'] !== undefined) {
    throw new Error(`${path}: this is a Swagger 2.0 document; convert it to OpenAPI 3`)
  }
  throw new Error(
    root['openapi'] === undefined
      ? `${path}: this is not an OpenAPI document: it has no "openapi" field`
      : `${path}: the "openapi" field is not a version of OpenAPI 3.0, 3.1 or 3.2, such as '3.1.0'`,
  )
}

/**
 * What stands in the place of a node: itself, or where its reference leads through any number of
 * further references.
 *
 * @returns undefined where the reference leads nowhere, or back to itself
 */
export function dereferenced({ targets }: OpenApiDocument, node: unknown): unknown {
  let current = node
  for (let hops = 0; hops < 100; hops += 1) {
    if (!isObject(current) || textOf(current['$ref']) === undefined) return current
    const target = targets.get(current)
    current = target && nodeAt(target.root, target.pointer)
  }
  return undefined
}

/** @see RFC 6901 §6 (JSON Pointer as a URI fragment) */
function nodeAt(root: unknown, pointer: string): unknown {
  if (pointer === '') return root
  // Anything else than a pointer is the name of an anchor, which only schemas have.
  if (!pointer.startsWith('/')) return undefined
  let node = root
  for (const token of percentDecoded(pointer).slice(1).split('/')) {
    const name = token.replaceAll('~1', '/').replaceAll('~0', '~')
    node = Array.isArray(node) ? node[Number(name)] : memberOf(node, name)
  }
  return node
}

function percentDecoded(pointer: string): string {
  try {
    return decodeURIComponent(pointer)
  } catch {
    // A percent sign that encodes nothing was written by someone who does not encode: it means itself.
    return pointer
  }
}
