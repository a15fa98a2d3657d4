import { at, listAt, textAt } from './at.ts'
import type { Path, Problem } from './problem.ts'

type Place = { readonly value: unknown; readonly path: Path }

/**
 * What a token lease does not go with. Each would either break what a limit promises, or ask Redis
 * about every request all the same.
 *
 * @param limits as it stands in the file; what the schema refuses is passed over
 */
export function tokenLeaseProblems(limits: unknown): readonly Problem[] {
  const replicas = numberAt(limits, ['replicas']) ?? 1
  const classes = Object.entries(Object(at(limits, ['classes'])) as object)
  return [
    ...classes.flatMap(([name, value]) =>
      classProblems({ value, path: ['limits', 'classes', name] }, replicas),
    ),
    ...problemsOfCalendar(limits),
  ]
}

function classProblems({ value, path }: Place, replicas: number): readonly Problem[] {
  const rules = listAt(value, ['operations']).map((rule, i) => ({
    value: rule,
    path: [...path, 'operations', i],
  }))
  const costs = rules.flatMap((rule) => numberAt(rule.value, ['cost']) ?? [])
  const mostCost = Math.max(1, ...costs)
  return [{ value, path }, ...rules].flatMap((limited) =>
    ['user', 'organization'].flatMap((scope) => {
      const problems = scopeProblems(at(limited.value, [scope]), { replicas, mostCost })
      return problems.map((message) => ({
        path: [...limited.path, scope, 'tokenLease'],
        message,
      }))
    }),
  )
}

/** @param around `mostCost` is the most that any operation of the class may weigh */
function scopeProblems(
  scope: unknown,
  { replicas, mostCost }: { readonly replicas: number; readonly mostCost: number },
): readonly string[] {
  if (at(scope, ['tokenLease']) === undefined) return []
  const share = numberAt(scope, ['tokenLease', 'share']) ?? 1
  const requests = numberAt(scope, ['requests'])
  return [
    ...(requests === undefined ? ['Needs requests and windowSeconds'] : []),
    ...(textAt(scope, ['window']) === 'sliding'
      ? ['Does not go with a window that slides, of which no end is known']
      : []),
    ...(at(scope, ['concurrent']) === undefined
      ? []
      : ['Does not go with concurrent, for slots are taken one by one']),
    ...(textAt(scope, ['mode']) === 'shadow'
      ? ['Does not go with mode: shadow, which counts what passes one by one']
      : []),
    ...(share < mostCost
      ? [`The share must be ${mostCost} at least, which an operation of the class may cost`]
      : []),
    ...(requests !== undefined && share * replicas > requests
      ? [`The share, ${replicas} times (limits.replicas), must be within requests`]
      : []),
  ]
}

/** Quotas are counted one by one: what is taken ahead of a month would be lost for the month. */
function problemsOfCalendar(limits: unknown): readonly Problem[] {
  return Object.entries(Object(at(limits, ['quotas'])) as object).flatMap(([name, quota]) => {
    if (at(quota, ['tokenLease']) === undefined) return []
    const path = ['limits', 'quotas', name, 'tokenLease']
    return [{ path, message: 'Goes with requests and windowSeconds of a class, not with quotas' }]
  })
}

function numberAt(value: unknown, path: Path): number | undefined {
  const found = at(value, path)
  return typeof found === 'number' ? found : undefined
}
