import { dereferenced, type OpenApiDocument } from './document.ts'
import type { Findings } from './findings.ts'
import { isObject, memberOf, membersOf, textOf } from './json.ts'

/** One method at one path, as a document has it. */
export type Declaration = {
  readonly method: string
  /** The key under `paths`, up to a query string or fragment. */
  readonly path: string
  /** The query string or fragment of the key: not legal, but found in documents in use. */
  readonly variant: string
  readonly pathItem: unknown
  readonly operation: unknown
}

const fixedMethods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace']

/** List what a document declares under `paths`; `webhooks` and callbacks are requests of the service's own. */
export function declarationsOf(
  document: OpenApiDocument,
  findings: Findings,
): readonly Declaration[] {
  const paths = dereferenced(document, memberOf(document.root, 'paths'))
  return membersOf(paths)
    .filter(([key]) => !key.startsWith('x-'))
    .flatMap(([key, node]) => {
      const pathItem = inlined(document, node, `path ${key}`, findings)
      const { path, variant } = splitKey(key)
      return methodsOf(document, pathItem).flatMap(([method, declared]) => {
        const operation = inlined(document, declared, `${method} ${key}`, findings)
        return isObject(operation) ? [{ method, path, variant, pathItem, operation }] : []
      })
    })
}

/** A path item may refer to another and add to it; documents that are split into files do so with operations. */
function inlined(
  document: OpenApiDocument,
  node: unknown,
  place: string,
  findings: Findings,
): unknown {
  const reference = textOf(memberOf(node, '$ref'))
  if (reference === undefined || !isObject(node)) return node
  const target = dereferenced(document, node)
  if (isObject(target)) return { ...target, ...node }
  findings.problem(`${place}: its reference "${reference}" leads nowhere`)
  return undefined
}

function splitKey(key: string): Pick<Declaration, 'path' | 'variant'> {
  const length = /[?#]|\{[?&#]/.exec(key)?.index ?? key.length
  return { path: key.slice(0, length), variant: key.slice(length) }
}

/** @see OpenAPI 3.2.0 §4.9 (Path Item Object), for `query` and `additionalOperations` */
function methodsOf(
  { version }: OpenApiDocument,
  pathItem: unknown,
): readonly (readonly [string, unknown])[] {
  const names = version === '3.2' ? [...fixedMethods, 'query'] : fixedMethods
  const fixed = names.map((name) => [name.toUpperCase(), memberOf(pathItem, name)] as const)
  // Their names are methods as they stand: case matters (RFC 9110 §9.1).
  const additional = version === '3.2' ? membersOf(memberOf(pathItem, 'additionalOperations')) : []
  return [...fixed, ...additional]
}
