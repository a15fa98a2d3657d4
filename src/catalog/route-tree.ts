import { compareSegments, isWholeParameter, shapeOf, valuesIn, type Segment } from './segment.ts'
import type { PathTemplate } from './path-template.ts'

/** Path templates by their segments, each with what is kept for it. */
export type RouteTree<Route> = {
  /**
   * What `pick` makes of the most specific template that matches a path, or of the next one where it
   * makes nothing of that.
   *
   * @param path canonical
   */
  readonly first: <T>(path: string, pick: (route: Route) => T | undefined) => T | undefined
}

/** What may stand at one place of a path, in the order in which it is tried: the most specific first. */
type Node<Route> = {
  readonly literals: Map<string, Node<Route>>
  /** Text with parameters in it. */
  readonly mixed: { readonly segment: Segment; readonly node: Node<Route> }[]
  /** A whole parameter. */
  whole: Node<Route> | undefined
  /** What is kept for the template that ends here. */
  route: Route | undefined
}

/**
 * Build a tree. No two of the templates may have the same shape.
 *
 * A path is walked once for each template that it may still be, so the time is bounded by the tree, whatever
 * the path is; in most trees there is one.
 */
export function createRouteTree<Route>(
  routes: readonly (Route & { readonly template: PathTemplate })[],
): RouteTree<Route> {
  const root = emptyNode<Route>()
  for (const route of routes) {
    let node = root
    for (const segment of route.template.segments) node = childFor(node, segment)
    node.route = route
  }
  return { first: (path, pick) => firstBelow(root, path, 1, pick) }
}

function emptyNode<Route>(): Node<Route> {
  return { literals: new Map(), mixed: [], whole: undefined, route: undefined }
}

function childFor<Route>(node: Node<Route>, segment: Segment): Node<Route> {
  if (isWholeParameter(segment)) return (node.whole ??= emptyNode())
  if (segment.names.length === 0) {
    const text = segment.literals[0] ?? ''
    const child = node.literals.get(text) ?? emptyNode<Route>()
    node.literals.set(text, child)
    return child
  }
  const shape = shapeOf(segment)
  const known = node.mixed.find((each) => shapeOf(each.segment) === shape)
  if (known !== undefined) return known.node
  const child = emptyNode<Route>()
  node.mixed.push({ segment, node: child })
  node.mixed.sort((a, b) => compareSegments(a.segment, b.segment))
  return child
}

/** @param start where the segment that is looked at begins */
function firstBelow<Route, T>(
  node: Node<Route>,
  path: string,
  start: number,
  pick: (route: Route) => T | undefined,
): T | undefined {
  const slash = path.indexOf('/', start)
  const text = slash === -1 ? path.slice(start) : path.slice(start, slash)
  const below = (child: Node<Route>): T | undefined => {
    if (slash !== -1) return firstBelow(child, path, slash + 1, pick)
    return child.route === undefined ? undefined : pick(child.route)
  }
  const literal = node.literals.get(text)
  const found = literal === undefined ? undefined : below(literal)
  if (found !== undefined) return found
  for (const { segment, node: child } of node.mixed) {
    const other = valuesIn(segment, text) === undefined ? undefined : below(child)
    if (other !== undefined) return other
  }
  // A parameter's value is never empty.
  return node.whole === undefined || text === '' ? undefined : below(node.whole)
}
