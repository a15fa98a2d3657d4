import type { LimitClass, LimitRule } from './limit-class.ts'

/** What a rule is told an operation by. */
export type LimitedOperation = {
  /** As declared: a HEAD that a GET answers is that GET. */
  readonly method: string
  /** As served, parameters in braces. */
  readonly path: string
  readonly operationId: string | undefined
}

/** Limits, or another cost, of some operations of a class. */
export type OperationRule = LimitRule & {
  /** Absent: any. */
  readonly methods?: readonly string[] | undefined
  /** Operation ids, or a method and a path; absent: any. */
  readonly operations?: readonly string[] | undefined
  readonly cost?: number | undefined
}

/** Whether an operation is meant by its id, or by its method and path as served. */
export function isNamed({ operationId, method, path }: LimitedOperation, name: string): boolean {
  return name === operationId || name === `${method} ${path}`
}

/** The class of an operation, with the rules that apply to it: always the same object. */
export type LimitClassOf = (operation: LimitedOperation) => LimitClass

/** Every rule that names the operation adds its limits; the first that has a cost says what it costs. */
export function createLimitClassOf(
  base: LimitClass,
  rules: readonly OperationRule[],
): LimitClassOf {
  if (rules.length === 0) return () => base
  const known = new WeakMap<LimitedOperation, LimitClass>()
  // Operations under the same rules have one class, so that what is known of its callers is shared.
  const byRules = new Map<string, LimitClass>()

  return (operation) => {
    const before = known.get(operation)
    if (before !== undefined) return before
    const applying = rules.filter((rule) => names(rule, operation))
    const key = applying.map(({ name }) => name).join('\n')
    const limitClass = byRules.get(key) ?? withRules(base, applying)
    byRules.set(key, limitClass)
    known.set(operation, limitClass)
    return limitClass
  }
}

function names({ methods, operations }: OperationRule, operation: LimitedOperation): boolean {
  if (methods !== undefined && !methods.includes(operation.method)) return false
  return operations === undefined || operations.some((name) => isNamed(operation, name))
}

function withRules(base: LimitClass, rules: readonly OperationRule[]): LimitClass {
  if (rules.length === 0) return base
  const cost = rules.find((rule) => rule.cost !== undefined)?.cost
  return { ...base, rules, ...(cost === undefined ? {} : { cost }) }
}
