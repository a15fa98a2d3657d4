import {
  celEnv,
  celFunc,
  celList,
  CelScalar,
  listType,
  parse,
  plan,
  type CelInput,
  type CelList,
  type CelResult,
} from '@bufbuild/cel'
import type { CelExpression } from './expression.ts'
import { chargeLoops } from './loop-charges.ts'
import { loop, metered, meteredMismatch } from './work-budget.ts'

/**
 * A compiled expression. It never throws: what fails, the work budget included, is an error value.
 *
 * @param bindings the variables; no inherited property of the object counts
 * @param maxWork in units of about a tenth of a microsecond
 */
export type CelProgram = (
  bindings: Readonly<Record<string, CelInput>>,
  maxWork: number,
) => CelResult

export type CelEvaluator = {
  /** @throws {Error} where the text is no CEL expression */
  readonly parse: (text: string) => CelExpression
  /** The expression belongs to the program from then on. */
  readonly compile: (expression: CelExpression) => CelProgram
  /** Say whether a text is a pattern of `matches`. */
  readonly isPattern: (text: string) => boolean
  /** Every function that an expression may call by name. */
  readonly functionNames: ReadonlySet<string>
}

type Options = NonNullable<Parameters<typeof celEnv>[0]>

/**
 * Build an evaluator of the Common Expression Language whose every evaluation is bounded. Loops are
 * charged before they begin, functions by the sizes of their arguments, all else by the number of
 * nodes, so that no filter can hold the event loop, whatever the claims are.
 *
 * @see https://github.com/google/cel-spec/blob/v0.25.1/doc/langdef.md
 */
export function createCelEvaluator(
  options: Pick<Options, 'registry' | 'namespace'> = {},
): CelEvaluator {
  // Evaluation is synchronous and does not call itself, so one counter serves all programs.
  let workLeft = 0
  const budget = {
    charge: (units: number): void => {
      workLeft -= units
      if (workLeft < 0) throw new Error('the work budget is exhausted')
    },
  }
  const standard = [...celEnv(options).funcs]
  const functionNames = new Set(standard.map(({ name }) => name))
  const environment = celEnv({
    ...options,
    funcs: [
      ...[...standard, createListConcat(), loop].map((func) => metered(func, budget)),
      ...[...functionNames].map((name) => meteredMismatch(name, budget)),
    ],
  })
  return {
    parse: parseExpression,
    compile,
    isPattern,
    functionNames,
  }

  function isPattern(text: string): boolean {
    const program = plan(environment, parseExpression('"".matches(pattern)'))
    workLeft = Number.MAX_VALUE
    return typeof program({ pattern: text }) === 'boolean'
  }

  function compile(expression: CelExpression): CelProgram {
    const nodes = chargeLoops(expression)
    const program = plan(environment, expression)
    return (bindings, maxWork) => {
      workLeft = maxWork - nodes
      return program(Object.assign(Object.create(null), bindings) as typeof bindings)
    }
  }
}

function parseExpression(text: string): CelExpression {
  return parse(text).expr
}

/**
 * The library's own concatenation nests one list in another for every element that `map` and
 * `filter` add, and walks the nest ever after; this one copies.
 */
function createListConcat(): ReturnType<typeof celFunc> {
  const list = listType(CelScalar.DYN)
  const elements = new WeakMap<CelList, readonly CelInput[]>()
  return celFunc('_+_', [list, list], list, (left, right) => {
    const both = (elements.get(left) ?? [...left]).concat(elements.get(right) ?? [...right])
    const joined = celList(both)
    elements.set(joined, both)
    return joined
  })
}
