import type { Findings } from './findings.ts'
import type { Operation } from './operation.ts'

/** Which operations the configuration puts into Early Access: all, or those of `METHOD /path`, as served. */
export type EarlyAccess = boolean | readonly string[]

/**
 * Put operations into Early Access, beside those that the document says are. One that is deprecated or
 * sunset stays so, and needs a grant all the same. A name that no operation has is a problem: what was
 * meant would be open to everybody.
 */
export function withEarlyAccess<G>(
  operations: readonly Operation<G>[],
  earlyAccess: EarlyAccess,
  findings: Findings,
): readonly Operation<G>[] {
  if (earlyAccess === false) return operations
  const names = new Set(earlyAccess === true ? operations.map(nameOf) : earlyAccess)
  const known = new Set(operations.map(nameOf))
  for (const name of names) {
    if (!known.has(name)) findings.problem(`"earlyAccess" names "${name}", which is no operation`)
  }
  return operations.map((operation) =>
    names.has(nameOf(operation)) ? inEarlyAccess(operation) : operation,
  )
}

function nameOf({ method, path }: Operation<unknown>): string {
  return `${method} ${path}`
}

function inEarlyAccess<G>(operation: Operation<G>): Operation<G> {
  const { lifecycle } = operation
  const isEnding = lifecycle.stage === 'deprecated' || lifecycle.stage === 'sunset'
  const stage = isEnding ? lifecycle.stage : 'early-access'
  return { ...operation, lifecycle: { ...lifecycle, stage, selfAccess: false } }
}
