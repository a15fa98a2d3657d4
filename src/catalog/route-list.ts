import type { SecurityPolicy } from '../auth/policy.ts'
import type { Catalog } from './catalog.ts'
import { grantsThatOpen, type Stage } from './lifecycle.ts'

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
  readonly stage: Stage
  /** What an organization must be granted, one of these, to use it; empty: nothing. */
  readonly grants: readonly string[]
}

/** List every operation of a catalog, by path, then method, then group. */
export function describeRoutes(
  catalog: Catalog<{ readonly name: string; readonly hosts: readonly string[] }>,
): readonly RouteRow[] {
  return catalog.operations
    .map(({ method, path, group, security, lifecycle }) => ({
      method,
      path,
      hosts: group.hosts,
      group: group.name,
      authorizations: authorizationsOf(security),
      stage: lifecycle.stage,
      grants: grantsThatOpen(lifecycle, group.name),
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
