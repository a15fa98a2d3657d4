import { isMap, isScalar, isSeq, LineCounter, parseDocument, type ParsedNode } from 'yaml'

/** Where something stands in a text; both count from 1. */
export type TextPlace = { readonly line: number; readonly column: number }

/**
 * Where a JSON Pointer (RFC 6901) leads; what the text does not have, such as a member that came by a
 * merge key, stands where the nearest node around it does.
 *
 * @param of the name of the member that the pointer ends in, or its value
 */
export type FindPlace = (pointer: string, of: 'name' | 'value') => TextPlace

/** @param text YAML or JSON. It is parsed again when the first place is asked for: seldom is any. */
export function createFindPlace(text: string): FindPlace {
  let tree: Tree | undefined
  return (pointer, of) => {
    tree ??= parseTree(text)
    const found = walk({ name: undefined, value: tree.root }, pointer)
    const offset = ((of === 'name' ? found.name : undefined) ?? found.value)?.range[0] ?? 0
    const { line, col } = tree.lines.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
}

type Tree = { readonly root: ParsedNode | null; readonly lines: LineCounter }

function parseTree(text: string): Tree {
  const lines = new LineCounter()
  // What is wrong with the text has been told by who parsed it before.
  const lenient = { strict: false, uniqueKeys: false, prettyErrors: false, lineCounter: lines }
  return { root: parseDocument(text, lenient).contents, lines }
}

/** Items of lists have no name. */
type Member = { readonly name: ParsedNode | undefined; readonly value: ParsedNode | null }

function walk(root: Member, pointer: string): Member {
  let current = root
  for (const token of pointer.split('/').slice(1)) {
    const next = childOf(current.value, token.replaceAll('~1', '/').replaceAll('~0', '~'))
    if (next === undefined) break
    current = next
  }
  return current
}

function childOf(node: ParsedNode | null, name: string): Member | undefined {
  if (isMap(node)) {
    const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === name)
    return pair && { name: pair.key, value: pair.value }
  }
  const item = isSeq(node) ? node.items[Number(name)] : undefined
  return item && { name: undefined, value: item }
}
