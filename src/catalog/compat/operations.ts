import { basePathOf } from '../base-path.ts'
import type { OpenApiDocument } from '../document.ts'
import { collectFindings } from '../findings.ts'
import { itemsOf } from '../json.ts'
import { lifecycleOf, type Lifecycle } from '../lifecycle.ts'
import { parsePathTemplate } from '../path-template.ts'
import { itemsAt, memberAt, namesAt, rootOf, valueAt, type Cursor } from '../cursor.ts'

/** An operation of one of the two documents. */
export type ComparedOperation = {
  /** `METHOD /path` as the document has it. */
  readonly name: string
  readonly at: Cursor
  readonly pathItem: Cursor
  readonly lifecycle: Lifecycle
  /** Absent where nothing is declared. */
  readonly security: Cursor | undefined
  readonly basePath: string
}

const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace', 'query']

/** The operations of a document, by what requests name them by: parameters may be called otherwise. */
export function comparedOperations(
  document: OpenApiDocument,
): ReadonlyMap<string, ComparedOperation> {
  const root = rootOf(document)
  const paths = memberAt(root, 'paths')
  const found = new Map<string, ComparedOperation>()
  for (const path of paths === undefined ? [] : namesAt(paths)) {
    const pathItem = paths && memberAt(paths, path)
    if (pathItem === undefined || path.startsWith('x-')) continue
    for (const method of methods) {
      const at = memberAt(pathItem, method)
      if (at === undefined) continue
      const shape = parsePathTemplate(path)?.shape ?? path
      found.set(`${method} ${shape}`, {
        name: `${method.toUpperCase()} ${path}`,
        at,
        pathItem,
        lifecycle: lifecycleOf(fieldsOf(at), fieldsOf(pathItem), collectFindings()),
        security: memberAt(at, 'security') ?? memberAt(root, 'security'),
        basePath: basePathAt([at, pathItem, root]),
      })
    }
  }
  return found
}

/** Its members as one object, whatever references they come from. */
function fieldsOf(cursor: Cursor): unknown {
  return Object.fromEntries(namesAt(cursor).map((name) => [name, valueAt(cursor, name)]))
}

function basePathAt(owners: readonly Cursor[]): string {
  const servers = owners.map((owner) => itemsAt(memberAt(owner, 'servers')))
  const [list = []] = servers.filter(({ length }) => length > 0)
  const basePath = basePathOf(itemsOf(list.map(fieldsOf)))
  return basePath.kind === 'known' ? basePath.path : basePath.url
}
