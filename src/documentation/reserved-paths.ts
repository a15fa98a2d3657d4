/** Where the pages are: the list of groups, and below it one page for each. */
export const referencePath = '/docs/api'

/** Whether documentation is served under a path, before the operations of any group. */
export function isReserved(path: string): boolean {
  if (path === '/openapi.json' || path === '/docs/style.css') return true
  return path === referencePath || path.startsWith(`${referencePath}/`)
}
