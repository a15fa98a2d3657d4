import type { OpenApiDocument } from './document.ts'
import { isObject, itemsOf, memberOf, textOf } from './json.ts'

/** A node of a document, and where it stands. */
export type Cursor = {
  readonly document: OpenApiDocument
  /** The parsed file that the pointer leads into. */
  readonly root: unknown
  /** JSON Pointer (RFC 6901) without the number sign. */
  readonly pointer: string
  readonly node: unknown
}

export function rootOf(document: OpenApiDocument): Cursor {
  return { document, root: document.root, pointer: '', node: document.root }
}

/** A member of the node, or of what its reference leads to; members beside a reference count first. */
export function memberAt(cursor: Cursor, name: string): Cursor | undefined {
  return placesOf(cursor).flatMap((place) => ownMember(place, name) ?? [])[0]
}

/** The names of all members that `memberAt` finds, without the reference itself. */
export function namesAt(cursor: Cursor): readonly string[] {
  const names = placesOf(cursor).flatMap(({ node }) => (isObject(node) ? Object.keys(node) : []))
  return [...new Set(names)].filter((name) => name !== '$ref')
}

export function itemsAt(cursor: Cursor | undefined): readonly Cursor[] {
  if (cursor === undefined) return []
  const list = placesOf(cursor).at(-1)
  if (list === undefined || !Array.isArray(list.node)) return []
  return list.node.map((node: unknown, index) => ({
    ...list,
    pointer: `${list.pointer}/${index}`,
    node,
  }))
}

/** The value of a member, whatever its type; undefined where it is absent. */
export function valueAt(cursor: Cursor | undefined, name: string): unknown {
  return cursor && memberAt(cursor, name)?.node
}

/** Where a node is defined: at the end of its references. */
export function definitionOf(cursor: Cursor): Cursor {
  return placesOf(cursor).at(-1) ?? cursor
}

/** The node and whatever its references lead to, in turn; a reference that leads nowhere ends it. */
function placesOf(cursor: Cursor): readonly Cursor[] {
  const places = [cursor]
  let current = cursor
  while (places.length < 100 && textOf(memberOf(current.node, '$ref')) !== undefined) {
    const target = current.document.targets.get(current.node as object)
    if (target === undefined) break
    const next = at(
      { ...current, root: target.root, pointer: '', node: target.root },
      target.pointer,
    )
    if (next === undefined) break
    places.push(next)
    current = next
  }
  return places
}

function at(file: Cursor, pointer: string): Cursor | undefined {
  let current: Cursor | undefined = file
  for (const token of decoded(pointer).split('/').slice(1)) {
    if (current === undefined) return undefined
    current = ownMember(current, token.replaceAll('~1', '/').replaceAll('~0', '~'))
  }
  return current
}

function ownMember(cursor: Cursor, name: string): Cursor | undefined {
  const isList = Array.isArray(cursor.node)
  const node = isList ? itemsOf(cursor.node)[Number(name)] : memberOf(cursor.node, name)
  if (node === undefined) return undefined
  const token = name.replaceAll('~', '~0').replaceAll('/', '~1')
  return { ...cursor, pointer: `${cursor.pointer}/${token}`, node }
}

function decoded(pointer: string): string {
  try {
    return decodeURIComponent(pointer)
  } catch {
    return pointer
  }
}
