import type { Operation } from './operation.ts'
import { compareSegments, isWholeParameter, shapeOf, valuesIn, type Segment } from './segment.ts'

/** The operations that are served together under one host, found by method and path. */
export type RouteTable<G> = {
  /**
   * The operation of the most specific template that matches the path and has the method. A HEAD
   * that no operation declares goes to GET.
   */
  find(method: string, path: string): Operation<G> | undefined
  /** What each method does that some template matching the path has; the most specific first. */
  operationsAt(path: string): ReadonlyMap<string, Operation<G>>
}

type Operations<G> = Map<string, Operation<G>>

/** Templates that begin alike, by what their next segment is. */
type Node<G> = {
  readonly literals: Map<string, Node<G>>
  /** Text with parameters; the more specific first. */
  readonly mixed: { readonly segment: Segment; readonly node: Node<G> }[]
  /** A whole parameter. */
  any: Node<G> | undefined
  /** Of the template that ends here, by method; empty where none does. */
  readonly operations: Operations<G>
}

/**
 * Compile operations into a table: a tree of segments. No two of them may have the same method and
 * shape.
 *
 * Templates are as specific as their segments from the left, literal text before text with parameters
 * before a whole parameter, so a walk in that order meets the most specific one first, and no node twice.
 * Hono's routers know no text around a parameter: what they find has to be matched once more, and took
 * twice as long to find.
 */
export function createRouteTable<G>(operations: readonly Operation<G>[]): RouteTable<G> {
  const root = blankNode<G>()
  for (const operation of operations) {
    nodeOf(root, operation.template.segments).operations.set(operation.method, operation)
  }
  settle(root)

  return {
    find: (method, path) => firstAt(root, path, 1, (found) => found.get(method)),
    operationsAt(path) {
      const found: [string, Operation<G>][] = []
      firstAt(root, path, 1, (at) => {
        found.push(...at)
        return undefined
      })
      return new Map(found.toReversed())
    },
  }
}

function blankNode<G>(): Node<G> {
  return { literals: new Map(), mixed: [], any: undefined, operations: new Map() }
}

function nodeOf<G>(root: Node<G>, segments: readonly Segment[]): Node<G> {
  let node = root
  for (const segment of segments) node = childOf(node, segment)
  return node
}

function childOf<G>(node: Node<G>, segment: Segment): Node<G> {
  const [text = ''] = segment.literals
  if (isWholeParameter(segment)) return (node.any ??= blankNode())
  if (segment.names.length === 0) {
    const known = node.literals.get(text) ?? blankNode()
    node.literals.set(text, known)
    return known
  }
  const shape = shapeOf(segment)
  const known = node.mixed.find((child) => shapeOf(child.segment) === shape)
  const child = known ?? { segment, node: blankNode<G>() }
  if (known === undefined) node.mixed.push(child)
  return child.node
}

/** Bring the tree into the order of its walks, and let HEAD go to GET. */
function settle<G>({ literals, mixed, any, operations }: Node<G>): void {
  const get = operations.get('GET')
  if (get !== undefined && !operations.has('HEAD')) operations.set('HEAD', get)
  mixed.sort((a, b) => compareSegments(a.segment, b.segment))
  for (const child of literals.values()) settle(child)
  for (const { node } of mixed) settle(node)
  if (any !== undefined) settle(any)
}

/** What is asked of a template that matches; undefined goes on to the next one. */
type Ask<G, Found> = (operations: Operations<G>) => Found | undefined

/**
 * Ask the templates that match a path, the most specific first, until one answers.
 *
 * @param start of the segment of the path that the node's children are compared with
 */
function firstAt<G, Found>(
  { literals, mixed, any }: Node<G>,
  path: string,
  start: number,
  ask: Ask<G, Found>,
): Found | undefined {
  const slash = path.indexOf('/', start)
  const text = slash === -1 ? path.slice(start) : path.slice(start, slash)
  const literal = literals.get(text)
  const byText = literal && firstBehind(literal, path, slash, ask)
  if (byText !== undefined) return byText
  for (const { segment, node } of mixed) {
    if (valuesIn(segment, text) === undefined) continue
    const found = firstBehind(node, path, slash, ask)
    if (found !== undefined) return found
  }
  // A parameter is never empty.
  return any === undefined || text === '' ? undefined : firstBehind(any, path, slash, ask)
}

/** @param slash behind the segment that led to the node; -1: it was the last */
function firstBehind<G, Found>(
  node: Node<G>,
  path: string,
  slash: number,
  ask: Ask<G, Found>,
): Found | undefined {
  return slash === -1 ? ask(node.operations) : firstAt(node, path, slash + 1, ask)
}
