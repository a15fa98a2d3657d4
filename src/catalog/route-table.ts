import { TrieRouter } from 'hono/router/trie-router'
import type { Operation } from './operation.ts'
import { bySpecificity, matches, parameterNames, type PathTemplate } from './path-template.ts'
import { anyValue, isWholeParameter, type Segment } from './segment.ts'

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

type Route<G> = {
  readonly template: PathTemplate
  readonly operations: Map<string, Operation<G>>
  /** Whether the router decides less than the template says, so that it has to be asked itself. */
  readonly isApproximate: boolean
}

/**
 * Compile operations into a table. No two of them may have the same method and shape.
 *
 * Hono's TrieRouter answers with every route that matches, in the order of registration, and that
 * is the order of specificity here. RegExpRouter was no faster when measured, refuses a literal
 * beside a parameter, and takes a colon anywhere in a segment for the start of a parameter.
 */
export function createRouteTable<G>(operations: readonly Operation<G>[]): RouteTable<G> {
  const routes = routesOf(operations)
  const literalRoutes = new Map(
    routes.filter(isLiteral).map((route) => [route.template.shape, route]),
  )
  const router = new TrieRouter<Route<G>>()
  for (const route of routes) router.add(everyMethod, routerPath(route.template), route)

  return {
    find(method, path) {
      const operation = literalRoutes.get(path)?.operations.get(method)
      if (operation !== undefined) return operation
      for (const [route] of router.match(everyMethod, path)[0]) {
        const found = route.operations.get(method)
        if (found !== undefined && accepts(route, path)) return found
      }
      return undefined
    },
    operationsAt(path) {
      const found = router
        .match(everyMethod, path)[0]
        .flatMap(([route]) => (accepts(route, path) ? [...route.operations] : []))
      return new Map(found.toReversed())
    },
  }
}

function accepts<G>(route: Route<G>, path: string): boolean {
  return !route.isApproximate || matches(route.template, path)
}

/** Methods are told apart by the routes, so that one walk finds those that a path has. */
const everyMethod = 'ALL'

function routesOf<G>(operations: readonly Operation<G>[]): readonly Route<G>[] {
  const routes = new Map<string, Route<G>>()
  for (const operation of operations) {
    const { template, method } = operation
    const isApproximate = template.segments.some(needsOwnMatch)
    const route = routes.get(template.shape) ?? { template, operations: new Map(), isApproximate }
    route.operations.set(method, operation)
    routes.set(template.shape, route)
  }
  for (const { operations: methods } of routes.values()) {
    const get = methods.get('GET')
    if (get !== undefined && !methods.has('HEAD')) methods.set('HEAD', get)
  }
  return [...routes.values()].toSorted((a, b) => bySpecificity(a.template, b.template))
}

function isLiteral<G>({ template }: Route<G>): boolean {
  return parameterNames(template).length === 0
}

function routerPath({ segments }: PathTemplate): string {
  return segments
    .map((segment) => {
      const isParameter = segment.names.length > 0 || needsOwnMatch(segment)
      return isParameter ? `/:${anyValue}` : `/${segment.literals[0] ?? ''}`
    })
    .join('')
}

/** What the router would misread is a parameter to it: text around a parameter, and its own syntax. */
function needsOwnMatch(segment: Segment): boolean {
  const [text = ''] = segment.literals
  if (segment.names.length === 0) return text.startsWith(':') || text.includes('*')
  return !isWholeParameter(segment)
}
