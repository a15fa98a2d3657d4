/** Why a filter cannot be used. */
export type FilterProblem = {
  readonly kind: 'problem'
  readonly reason: FilterProblemReason
  /** One or more sentences for whoever wrote the filter. */
  readonly detail: string
}

export type FilterProblemReason =
  | 'empty'
  | 'too-long'
  | 'too-deep'
  | 'too-large'
  | 'syntax'
  | 'unknown-name'
  | 'unknown-function'
  | 'pattern'
  | 'unconstrained'

export function problem(reason: FilterProblemReason, detail: string): FilterProblem {
  return { kind: 'problem', reason, detail }
}
