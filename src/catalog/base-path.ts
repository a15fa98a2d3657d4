import { memberOf, textOf } from './json.ts'

/** The base path that a list of servers gives to the paths of a document. */
export type BasePath =
  | { readonly kind: 'known'; readonly path: string; readonly others: readonly string[] }
  | { readonly kind: 'unknown'; readonly url: string }

/**
 * Tell the base path from a `servers` list: that of its first server.
 *
 * @param servers of the operation, else of its path item, else of the document
 * @returns the path without a slash at its end, '' for the root, and the differing ones of the
 *   other servers; or unknown where a variable within the path has no default
 * @see OpenAPI 3.1.1 §4.8.5 (Server Object)
 */
export function basePathOf(servers: readonly unknown[]): BasePath {
  const [first, ...others] = servers.map(pathOfServer)
  if (first === undefined) return { kind: 'known', path: '', others: [] }
  if (/[{}]/.test(first.path)) return { kind: 'unknown', url: first.url }
  const differing = new Set(others.map(({ path }) => path))
  differing.delete(first.path)
  return { kind: 'known', path: first.path, others: [...differing] }
}

function pathOfServer(server: unknown): { readonly url: string; readonly path: string } {
  const url = textOf(memberOf(server, 'url')) ?? '/'
  const variables = memberOf(server, 'variables')
  const resolved = url.replaceAll(/\{([^{}]*)\}/g, (expression, name: string) => {
    return defaultOf(memberOf(variables, name)) ?? expression
  })
  return { url, path: pathOfUrl(resolved) }
}

function defaultOf(variable: unknown): string | undefined {
  const value = memberOf(variable, 'default')
  // YAML reads an unquoted port or version as a number.
  return typeof value === 'number' ? String(value) : textOf(value)
}

/** The path of an absolute or relative URL, whose scheme, host and port may still hold variables. */
function pathOfUrl(url: string): string {
  const [path = ''] = url.replace(/^(?:[^/?#]*:)?\/\/[^/?#]*/, '').split(/[?#]/)
  const kept: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '..') kept.pop()
    else if (segment !== '' && segment !== '.') kept.push(segment)
  }
  return kept.map((segment) => `/${segment}`).join('')
}
