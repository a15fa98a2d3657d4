import { table } from './cli/table.ts'
import type { Configuration } from './config/schema.ts'

type Limits = Configuration['limits']

/**
 * Of each limit of which shares are taken ahead, how much of a window may be left unused while somebody is
 * refused. The formula is in docs/limits.md.
 *
 * @returns nothing where there is no such limit
 */
export function underAdmission({ classes, replicas }: Limits): string {
  const rows = Object.entries(classes).flatMap(([name, limitClass]) => [
    ...rowsOf(name, limitClass, replicas),
    ...limitClass.operations.flatMap((rule) => rowsOf(`${name}.${rule.name}`, rule, replicas)),
  ])
  if (rows.length === 0) return ''
  return `${table(['TOKENS TAKEN AHEAD', 'SCOPE', 'SHARE', 'UNUSED AT MOST'], rows)}\n`
}

type Scopes = Pick<Limits['classes'][string], 'user' | 'organization'>

function rowsOf(name: string, scopes: Scopes, replicas: number): readonly (readonly string[])[] {
  return (['user', 'organization'] as const).flatMap((scope) => {
    const { tokenLease, requests } = scopes[scope]
    if (tokenLease === undefined || requests === undefined) return []
    const { share } = tokenLease
    return [[name, scope, String(share), `${share * replicas} of ${requests}`]]
  })
}
