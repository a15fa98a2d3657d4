import { isNamed, type LimitedOperation } from './operation-class.ts'
import type { Scope } from './limit-class.ts'

/** A limit of how many resources there may be, rather than of requests. */
export type CountedQuota = {
  readonly name: string
  /** `user` counts what a principal creates, less what the same principal deletes. */
  readonly scope: Scope
  readonly limit: number
  /** While the record cannot be asked: refuse with 503, or let pass and count later. */
  readonly whenUnavailable: 'refuse' | 'admit'
  /** Counted and logged, but nothing is refused by it. */
  readonly isShadow: boolean
  /** Say so in the log when so much of it is used; each 1 to 100. */
  readonly warnAtPercent: readonly number[]
}

/** What a request of an operation counts one of, or gives one back of, where it succeeds. */
export type Counted = {
  readonly creates: readonly CountedQuota[]
  readonly deletes: readonly CountedQuota[]
}

/** Undefined of what counts nothing. */
export type CountedOf = (operation: LimitedOperation) => Counted | undefined

/** Which operations create what is counted, and which delete it. */
export type CountingRule = {
  readonly quota: CountedQuota
  /** Operation ids, or a method and a path as served. */
  readonly creates: readonly string[]
  readonly deletes: readonly string[]
}

/** @returns undefined where a group counts nothing, so that its requests need not be looked at */
export function createCountedOf(rules: readonly CountingRule[]): CountedOf | undefined {
  if (rules.length === 0) return undefined
  const known = new WeakMap<LimitedOperation, Counted | 'nothing'>()
  return (operation) => {
    let counted = known.get(operation)
    if (counted === undefined) {
      counted = countedBy(rules, operation)
      known.set(operation, counted)
    }
    return counted === 'nothing' ? undefined : counted
  }
}

function countedBy(rules: readonly CountingRule[], operation: LimitedOperation) {
  const quotas = (of: 'creates' | 'deletes'): readonly CountedQuota[] =>
    rules.flatMap((rule) => (rule[of].some((name) => isNamed(operation, name)) ? rule.quota : []))
  const counted: Counted = { creates: quotas('creates'), deletes: quotas('deletes') }
  return counted.creates.length + counted.deletes.length === 0 ? 'nothing' : counted
}
