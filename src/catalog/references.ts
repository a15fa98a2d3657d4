import { dirname, resolve } from 'node:path'
import type * as redoclyCore from '@redocly/openapi-core'
import type { Document } from '@redocly/openapi-core'
import { isObject, textOf } from './json.ts'
import { isUrl, type LocalFiles } from './local-files.ts'

/** Where a reference leads: into a parsed file, by JSON Pointer; '' is the whole of it. */
export type ReferenceTarget = { readonly root: unknown; readonly pointer: string }

type References = {
  readonly targets: ReadonlyMap<object, ReferenceTarget>
  /** Sentences about references that must not be followed, each with its place. */
  readonly refusals: readonly string[]
  /** Every file that was parsed, by its absolute path. */
  readonly documents: ReadonlyMap<string, Document>
}

/** A `$ref` as it stands in a file. */
type Reference = {
  readonly node: object
  readonly written: string
  /** JSON Pointer of the node, as a URI fragment. */
  readonly place: string
}

/**
 * Find every reference of a document and read the files that they lead to, and so on.
 *
 * The library's own bundler is not used: it also follows what only looks like a reference, such as
 * the URL of an example, and a reference that leads back to itself makes it reject a promise that
 * nobody holds, which would end the process.
 */
export async function readReferences(
  redocly: typeof redoclyCore,
  files: LocalFiles,
  document: Document,
): Promise<References> {
  const targets = new Map<object, ReferenceTarget>()
  const refusals: string[] = []
  const documents = new Map([[document.source.absoluteRef, document]])
  // The loop comes to the documents that it adds, too.
  for (const [path, { source, parsed }] of documents) {
    for (const { node, written, place } of referencesIn(parsed)) {
      const { file, pointer } = splitReference(path, written)
      const outcome = await files.read(file)
      // One that leads nowhere is no concern here: who needs its target finds it missing.
      if (outcome.kind === 'missing') continue
      if (outcome.kind === 'read') {
        documents.set(file, outcome.document)
        targets.set(node, { root: outcome.document.parsed, pointer })
        continue
      }
      const { start } = redocly.getLineColLocation({ source, pointer: place, reportOnKey: false })
      const reason = [outcome.place, outcome.reason].filter((text) => text !== undefined).join(': ')
      refusals.push(
        `${path}:${start.line}:${start.col}: the reference "${written}" is refused: ${reason}`,
      )
    }
  }
  return { targets, refusals, documents }
}

/** An absolute URL stays one: reading it is refused. */
function splitReference(path: string, written: string): { file: string; pointer: string } {
  const hash = written.indexOf('#')
  const name = hash === -1 ? written : written.slice(0, hash)
  const pointer = hash === -1 ? '' : written.slice(hash + 1)
  if (name === '') return { file: path, pointer }
  return { file: isUrl(name) ? name : resolve(dirname(path), name), pointer }
}

function referencesIn(parsed: unknown): readonly Reference[] {
  const found: Reference[] = []
  const visited = new Set<object>()
  const visit = (node: unknown, name: string, place: string): void => {
    if (typeof node !== 'object' || node === null || visited.has(node)) return
    visited.add(node)
    const written = isObject(node) ? textOf(node['$ref']) : undefined
    if (written !== undefined) found.push({ node, written, place })
    for (const [childName, child] of Object.entries(node)) {
      if (isPayload(childName, name)) continue
      const token = childName.replaceAll('~', '~0').replaceAll('/', '~1')
      visit(child, childName, `${place}/${token}`)
    }
  }
  visit(parsed, '', '#')
  return found
}

/** Values that are shown or compared; what looks like a reference there is none. */
function isPayload(name: string, parentName: string): boolean {
  if (namedThings.has(parentName)) return false
  return payloads.has(name) || name.startsWith('x-')
}

const payloads: ReadonlySet<string> = new Set(['example', 'examples', 'default', 'enum', 'const'])

/** Objects whose members' names are the author's, so that one may be called `default`. */
const namedThings: ReadonlySet<string> = new Set([
  ...['paths', 'responses', 'parameters', 'schemas', 'properties', 'patternProperties', '$defs'],
  ...['requestBodies', 'headers', 'securitySchemes', 'links', 'callbacks', 'pathItems', 'content'],
])
