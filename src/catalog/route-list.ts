import type { SecurityPolicy } from '../auth/policy.ts'
import type { Catalog } from './catalog.ts'
import { grantsThatOpen, type Stage } from './lifecycle.ts'
import type { Operation } from './operation.ts'

/** One operation as it is listed for people. */
export type RouteRow = {
  readonly method: string
  /** As served, parameters in braces. */
  readonly path: string
  /** Empty: any host. */
  readonly hosts: readonly string[]
  readonly group: string
  /** What opens it, by the scheme names of the document: `a | b & c`; 'none' where nothing is asked for. */
  readonly authorizations: string
  /** The roles that hold it; undefined where the service decides. */
  readonly roles: readonly string[] | undefined
  readonly stage: Stage
  /** What an organization must be granted, one of these, to use it; empty: nothing. */
  readonly grants: readonly string[]
}

type Listed = { readonly name: string; readonly hosts: readonly string[] }

/**
 * List every operation of a catalog, by path, then method, then group.
 *
 * @param rolesOf the roles that hold an operation; undefined where its service decides
 */
export function describeRoutes<G extends Listed>(
  catalog: Catalog<G>,
  rolesOf: (operation: Operation<G>) => readonly string[] | undefined,
): readonly RouteRow[] {
  return catalog.operations
    .map((operation) => ({
      method: operation.method,
      path: operation.path,
      hosts: operation.group.hosts,
      group: operation.group.name,
      authorizations: authorizationsOf(operation.security),
      roles: rolesOf(operation),
      stage: operation.lifecycle.stage,
      grants: grantsThatOpen(operation.lifecycle, operation.group.name),
    }))
    .toSorted(
      (a, b) =>
        compareText(a.path, b.path) ||
        compareText(a.method, b.method) ||
        compareText(a.group, b.group),
    )
}

function authorizationsOf(security: SecurityPolicy): string {
  return security
    .map((alternative) => {
      return alternative.length === 0 ? 'none' : alternative.map(nameOf).join(' & ')
    })
    .join(' | ')
}

function nameOf({ scheme, scopes }: SecurityPolicy[number][number]): string {
  return scopes.length === 0 ? scheme : `${scheme} (${scopes.join(' ')})`
}

/** By code units, so that the order is the same on every machine. */
function compareText(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1
}
