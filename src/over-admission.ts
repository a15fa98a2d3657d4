import { table } from './cli/table.ts'
import type { Configuration } from './config/schema.ts'
import { underAdmission } from './under-admission.ts'

type Limits = Configuration['limits']
type WhenUnavailable = Limits['classes'][string]['user']['whenUnavailable']

/**
 * The most that may pass while Redis cannot be asked, for each limit: its whole in Redis, and from each
 * replica its share. Formulas are in docs/limits.md.
 */
export function overAdmission({ limits }: Configuration): string {
  const { replicas } = limits
  const rows = [
    ...Object.entries(limits.classes).flatMap(([name, limitClass]) => [
      ...rowsOf(name, limitClass, replicas),
      ...limitClass.operations.flatMap((rule) => rowsOf(`${name}.${rule.name}`, rule, replicas)),
    ]),
    ...Object.entries(limits.quotas).flatMap(([name, quota]) => quotaRows(name, quota, replicas)),
    ...Object.entries(limits.countedResources).flatMap(([name, quota]) => countedRows(name, quota)),
  ]
  const worst = `${table(['CLASS OR QUOTA', 'SCOPE', 'LIMIT', 'WITHOUT REDIS', 'WORST'], rows)}\n`
  return `${worst}${underAdmission(limits)}`
}

type Scopes = Pick<Limits['classes'][string], 'user' | 'organization'>
type Row = readonly string[]

function rowsOf(name: string, scopes: Scopes, replicas: number): readonly Row[] {
  return (['user', 'organization'] as const).flatMap((scope) => {
    const { requests, windowSeconds, window, concurrent, whenUnavailable, mode } = scopes[scope]
    if (mode === 'shadow') return []
    const rows: Row[] = []
    const add = (limit: string, worst: string): void => {
      rows.push([name, scope, limit, whenUnavailable, worst])
    }
    if (requests !== undefined) {
      const shape = window === 'sliding' ? 'in any' : 'per'
      const worst = worstCount(requests, whenUnavailable, replicas)
      add(`${requests} ${shape} ${windowSeconds} s`, worst)
    }
    if (concurrent !== undefined)
      add(`${concurrent} at once`, worstSlots(concurrent, whenUnavailable, replicas))
    return rows
  })
}

function quotaRows(
  name: string,
  quota: Limits['quotas'][string],
  replicas: number,
): readonly Row[] {
  const { scope, limit, period, whenUnavailable, mode } = quota
  if (mode === 'shadow') return []
  const worst = worstCount(limit, whenUnavailable, replicas)
  // Each process begins an outage without what it counted in the one before.
  const further = whenUnavailable === 'local' ? ', for one outage' : ''
  return [[name, scope, `${limit} per ${period}`, whenUnavailable, `${worst}${further}`]]
}

/** Redis has no part in it: the database is the record, and without it nothing is created. */
function countedRows(
  name: string,
  { scope, limit, whenUnavailable, mode }: Limits['countedResources'][string],
): readonly Row[] {
  if (mode === 'shadow') return []
  const worst = whenUnavailable === 'refuse' ? String(limit) : 'unbounded without the database'
  return [[name, scope, `${limit} resources`, 'as with it', worst]]
}

function worstCount(limit: number, when: WhenUnavailable, replicas: number): string {
  if (when === 'refuse') return String(limit)
  return when === 'admit' ? 'unbounded' : String(limit + replicas * Math.ceil(limit / replicas))
}

/** One replica may hold them all when the others begin to take their shares. */
function worstSlots(limit: number, when: WhenUnavailable, replicas: number): string {
  if (when === 'refuse') return String(limit)
  return when === 'admit'
    ? 'unbounded'
    : String(limit + (replicas - 1) * Math.ceil(limit / replicas))
}
