import type { Configuration } from './config/schema.ts'
import type { CountedOf } from './limits/admission.ts'
import { createCountedOf, type CountedQuota } from './limits/counted.ts'
import { isNamed, type LimitedOperation } from './limits/operation-class.ts'

type CountedResources = Configuration['limits']['countedResources']
type GroupConfiguration = Configuration['apiGroups'][number]
type ServedOperation = LimitedOperation & { readonly group: { readonly name: string } }

/** What the operations of a group count. */
export function countedOf(
  { counts }: GroupConfiguration,
  countedResources: CountedResources,
): CountedOf | undefined {
  const rules = counts.map(({ quota: name, ...operations }) => {
    const configured = countedResources[name]
    if (configured === undefined) throw new Error('The configuration let an unknown quota through')
    const { mode, ...rest } = configured
    return {
      ...operations,
      quota: { ...rest, name, isShadow: mode === 'shadow' } satisfies CountedQuota,
    }
  })
  return createCountedOf(rules)
}

/** Operations that are said to count, but that no group serves: their resources would not count. */
export function countingProblems(
  { apiGroups }: Configuration,
  operations: readonly ServedOperation[],
): readonly string[] {
  return apiGroups.flatMap(({ name: group, counts }) =>
    counts.flatMap(({ quota, creates, deletes }) =>
      [...creates, ...deletes].flatMap((name) => {
        const isServed = operations.some((each) => each.group.name === group && isNamed(each, name))
        return isServed ? [] : `group "${group}": counts: ${quota}: no operation "${name}"`
      }),
    ),
  )
}
