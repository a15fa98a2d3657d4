import { grantsThatOpen } from '../catalog/lifecycle.ts'
import { memberAt, rootOf, valueAt, type Cursor } from '../catalog/cursor.ts'
import type { Operation } from '../catalog/operation.ts'

/** Who reads: what is in Early Access is shown to those alone who may use it. */
export type Audience =
  | { readonly kind: 'anonymous' }
  /** By the names of all that the organization was granted. */
  | { readonly kind: 'organization'; readonly grants: ReadonlySet<string> }
  | { readonly kind: 'partner' }

/** What documentation needs to know of a group. */
export type DocumentedGroup = { readonly name: string; readonly hosts: readonly string[] }

export type DocumentedOperation = Operation<DocumentedGroup>

/** Where an operation is written; absent where its document has it in a form that is not read here. */
export function writtenAt({ source, method }: DocumentedOperation): Written | undefined {
  const paths = memberAt(rootOf(source.document), 'paths')
  const pathItem = paths && memberAt(paths, source.key)
  const others = pathItem && memberAt(pathItem, 'additionalOperations')
  const operation =
    pathItem && (memberAt(pathItem, method.toLowerCase()) ?? (others && memberAt(others, method)))
  return operation && { pathItem, operation }
}

export type Written = { readonly pathItem: Cursor; readonly operation: Cursor }

/** Whether an operation is shown: not what is internal or gone, nor what the reader has no grant for. */
export function isVisible(operation: DocumentedOperation, audience: Audience): boolean {
  const { lifecycle, group, security } = operation
  if (lifecycle.stage === 'sunset' || isInternal(operation)) return false
  const opening = grantsThatOpen(lifecycle, group.name)
  if (opening.length === 0) return true
  switch (audience.kind) {
    case 'anonymous':
      return false
    case 'organization':
      return opening.some((name) => audience.grants.has(name))
    case 'partner':
      // A partner's scopes are its grant.
      return security.flat().some(({ kind }) => kind === 'partner-access-token')
  }
}

/** `x-internal` on the operation or its path: it is served, but not shown. */
function isInternal(operation: DocumentedOperation): boolean {
  const written = writtenAt(operation)
  return (
    valueAt(written?.operation, 'x-internal') === true ||
    valueAt(written?.pathItem, 'x-internal') === true
  )
}

/** The same text for readers who are shown the same. */
export function keyOf(operations: readonly DocumentedOperation[], audience: Audience): string {
  if (audience.kind !== 'organization') return audience.kind
  const names = operations.flatMap(({ lifecycle, group }) => grantsThatOpen(lifecycle, group.name))
  const held = [...new Set(names)].filter((name) => audience.grants.has(name)).toSorted()
  return held.length === 0 ? 'anonymous' : JSON.stringify(held)
}
