import type { Operation } from './operation.ts'
import type { PathTemplate } from './path-template.ts'
import { createRouteTree } from './route-tree.ts'

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
}

/** Compile operations into a table. No two of them may have the same method and shape. */
export function createRouteTable<G>(operations: readonly Operation<G>[]): RouteTable<G> {
  const tree = createRouteTree<Route<G>>(routesOf(operations))
  return {
    find: (method, path) => tree.first(path, (route) => route.operations.get(method)),
    operationsAt(path) {
      const found = new Map<string, Operation<G>>()
      tree.first(path, (route) => {
        for (const [method, operation] of route.operations) {
          if (!found.has(method)) found.set(method, operation)
        }
        return undefined
      })
      return found
    },
  }
}

function routesOf<G>(operations: readonly Operation<G>[]): readonly Route<G>[] {
  const routes = new Map<string, Route<G>>()
  for (const operation of operations) {
    const { template, method } = operation
    const route = routes.get(template.shape) ?? { template, operations: new Map() }
    route.operations.set(method, operation)
    routes.set(template.shape, route)
  }
  for (const { operations: methods } of routes.values()) {
    const get = methods.get('GET')
    if (get !== undefined && !methods.has('HEAD')) methods.set('HEAD', get)
  }
  return [...routes.values()]
}
