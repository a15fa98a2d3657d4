import { createCelEvaluator } from './cel.ts'
import type { CelClaims } from './cel-claims.ts'
import type { FilterProblem } from './filter-problem.ts'
import { parseFilter } from './filter-syntax.ts'
import { constrainsCaller } from './shared-issuer.ts'

/** Which callers belong to a pool: a compiled CEL expression over `claims`. */
export type Filter = {
  readonly kind: 'filter'
  /**
   * Say whether claims match. Only `true` matches: an error, a missing claim, any other value and
   * an exhausted work budget do not. It never throws, and takes less than ten milliseconds.
   */
  readonly matches: (claims: CelClaims) => boolean
  /** Whether it can only match a chosen `sub` or `aud`. */
  readonly constrainsCaller: boolean
}

/**
 * What one evaluation may cost, in tenths of a microsecond, roughly: well under ten milliseconds.
 * `exists` over 200 groups takes a tenth of it.
 */
const maxWork = 20_000

/** Compile a filter; what is wrong with one is an answer. */
export type CompileFilter = (text: string) => Filter | FilterProblem

/** Build the compiler of filters, for when one is written and for when one is first used. */
export function createFilterCompiler(): CompileFilter {
  const evaluator = createCelEvaluator()
  return (text) => {
    const expression = parseFilter(evaluator, text)
    if ('kind' in expression) return expression
    // Before it is compiled, which adds to the expression.
    const constrained = constrainsCaller(expression)
    const program = evaluator.compile(expression)
    return {
      kind: 'filter',
      matches: ({ claims }) => program({ claims }, maxWork) === true,
      constrainsCaller: constrained,
    }
  }
}
