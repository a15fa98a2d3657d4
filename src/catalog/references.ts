import { dirname, resolve } from 'node:path'
import { isObject, textOf } from './json.ts'
import { isUrl, type LocalFiles } from './local-files.ts'
import type { ParsedFile } from './parsed-file.ts'

/** Where a reference leads: into a parsed file, by JSON Pointer; '' is the whole of it. */
export type ReferenceTarget = { readonly root: unknown; readonly pointer: string }

type References = {
  readonly targets: ReadonlyMap<object, ReferenceTarget>
  /** Sentences about references that must not be followed, each with its place. */
  readonly refusals: readonly string[]
  /** Every file that was parsed, by its absolute path. */
  readonly parsed: ReadonlyMap<string, ParsedFile>
}

/** A `$ref` as it stands in a file. */
type Reference = {
  readonly node: object
  readonly written: string
  /** JSON Pointer of the node. */
  readonly pointer: string
}

/**
 * Find every reference of a document and read the files that they lead to, and so on.
 */
export async function readReferences(files: LocalFiles, root: ParsedFile): Promise<References> {
  const targets = new Map<object, ReferenceTarget>()
  const refusals: string[] = []
  const documents = new Map([[root.path, root]])
  // The loop comes to the files that it adds, too.
  for (const [path, { parsed, findPlace }] of documents) {
    for (const { node, written, pointer: place } of referencesIn(parsed)) {
      const { file, pointer } = splitReference(path, written)
      const outcome = await files.read(file)
      // One that leads nowhere is no concern here: who needs its target finds it missing.
      if (outcome.kind === 'missing') continue
      if (outcome.kind === 'read') {
        documents.set(file, outcome.file)
        targets.set(node, { root: outcome.file.parsed, pointer })
        continue
      }
      const { line, column } = findPlace(place, 'value')
      const reason = [outcome.place, outcome.reason].filter((text) => text !== undefined).join(': ')
      refusals.push(`${path}:${line}:${column}: the reference "${written}" is refused: ${reason}`)
    }
  }
  return { targets, refusals, parsed: documents }
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
  const visit = (node: unknown, name: string, pointer: string): void => {
    if (typeof node !== 'object' || node === null || visited.has(node)) return
    visited.add(node)
    const written = isObject(node) ? textOf(node['$ref']) : undefined
    if (written !== undefined) found.push({ node, written, pointer })
    for (const [childName, child] of Object.entries(node)) {
      if (isPayload(childName, name)) continue
      const token = childName.replaceAll('~', '~0').replaceAll('/', '~1')
      visit(child, childName, `${pointer}/${token}`)
    }
  }
  visit(parsed, '', '')
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
