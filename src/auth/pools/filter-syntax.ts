import type { CelEvaluator } from './cel.ts'
import { childrenOf, type CelExpression } from './expression.ts'
import { problem, type FilterProblem } from './filter-problem.ts'
import { patternWeight } from './work-budget.ts'

/** In characters. */
const maxTextLength = 4096

/** Nested brackets of any kind, wherever they stand: the parser descends into each. */
const maxBrackets = 32

const maxNodes = 1000
const maxDepth = 64

/** Loops within loops: with three, 40 groups are 64,000 turns. */
const maxLoopDepth = 2

/** States of a pattern, estimated from above. */
const maxPatternWeight = 2000

/**
 * Parse a filter and hold it to its bounds: 4,096 characters, 32 nested brackets, 1,000 nodes, 64
 * levels, a loop within a loop at most. It names `claims` and the variables of its own loops, calls
 * standard functions only, and writes its patterns out, so that they are checked now.
 *
 * An empty filter is a mistake, not "everybody": that is written `true`.
 */
export function parseFilter(evaluator: CelEvaluator, text: string): CelExpression | FilterProblem {
  if (text.trim() === '')
    return problem('empty', 'The filter is empty. Write true to admit every token of the issuer.')
  if (text.length > maxTextLength)
    return problem('too-long', `The filter is longer than ${maxTextLength} characters.`)
  if (bracketDepth(text) > maxBrackets)
    return problem('too-deep', `The filter nests more than ${maxBrackets} brackets.`)
  const expression = parseText(evaluator, text)
  return 'kind' in expression ? expression : (flawOf(expression, evaluator) ?? expression)
}

function parseText(evaluator: CelEvaluator, text: string): CelExpression | FilterProblem {
  try {
    return evaluator.parse(text)
  } catch (error) {
    const [, line, column] = /<input>:(\d+):(\d+)/.exec(String(error)) ?? []
    const place = line === undefined ? '' : ` at line ${line}, column ${column ?? ''}`
    return problem('syntax', `The filter is not a CEL expression${place}.`)
  }
}

/** Counted in strings too, which hold back nobody: their brackets seldom nest so deep. */
function bracketDepth(text: string): number {
  let depth = 0
  let deepest = 0
  for (const [bracket] of text.matchAll(/[()[\]{}]/g)) {
    depth += '([{'.includes(bracket) ? 1 : -1
    deepest = Math.max(deepest, depth)
  }
  return deepest
}

type Place = {
  readonly expression: CelExpression
  readonly depth: number
  readonly loops: number
  /** Variables of the loops around. */
  readonly names: ReadonlySet<string>
}

/** Walk without recursion: how deep the expression is, is what this finds out. */
function flawOf(root: CelExpression, evaluator: CelEvaluator): FilterProblem | undefined {
  const pending: Place[] = [{ expression: root, depth: 1, loops: 0, names: new Set(['claims']) }]
  for (let nodes = 1; ; nodes++) {
    const place = pending.pop()
    if (place === undefined) return undefined
    if (nodes > maxNodes) return problem('too-large', `The filter has more than ${maxNodes} parts.`)
    const flaw = flawAt(place, evaluator)
    if (flaw !== undefined) return flaw
    pending.push(...placesWithin(place))
  }
}

function flawAt(place: Place, evaluator: CelEvaluator): FilterProblem | undefined {
  const { expression, depth, loops, names } = place
  const { exprKind } = expression
  if (depth > maxDepth) return problem('too-deep', `The filter is deeper than ${maxDepth} levels.`)
  if (loops > maxLoopDepth)
    return problem('too-deep', `The filter nests more than ${maxLoopDepth} loops.`)
  switch (exprKind.case) {
    case 'identExpr':
      return nameFlaw(exprKind.value.name, names)
    case 'callExpr':
      return callFlaw(exprKind.value, evaluator)
    case 'structExpr':
      return exprKind.value.messageName === ''
        ? undefined
        : problem('unknown-name', 'The filter makes a message, and no message types exist here.')
    case 'comprehensionExpr':
      // Whoever reads `claims` in a filter must be able to believe it.
      return exprKind.value.iterVar === 'claims'
        ? problem('unknown-name', 'A loop in the filter gives another meaning to "claims".')
        : undefined
    case 'constExpr':
    case 'listExpr':
    case 'selectExpr':
    case undefined:
      return undefined
  }
}

/** Types can be named, to compare with `type(…)`. */
const typeNames = 'bool int uint double string bytes list map null_type type'.split(' ')

function nameFlaw(name: string, names: ReadonlySet<string>): FilterProblem | undefined {
  if (names.has(name) || typeNames.includes(name)) return undefined
  return problem('unknown-name', 'The filter names something else than "claims".')
}

/** Written as operators; the evaluator itself knows them. */
const operators = ['_&&_', '_||_', '_?_:_', '_[_]', '@not_strictly_false']

function callFlaw(
  call: { readonly function: string; readonly args: readonly CelExpression[] },
  evaluator: CelEvaluator,
): FilterProblem | undefined {
  if (call.function === 'matches') return patternFlaw(call.args.at(-1), evaluator)
  if (operators.includes(call.function) || evaluator.functionNames.has(call.function))
    return undefined
  return problem('unknown-function', 'The filter calls a function that does not exist.')
}

/** A pattern out of a claim would be the caller's own. */
function patternFlaw(
  pattern: CelExpression | undefined,
  evaluator: CelEvaluator,
): FilterProblem | undefined {
  const text = literalString(pattern)
  if (text === undefined)
    return problem('pattern', 'The pattern of "matches" must be a string written in the filter.')
  if (patternWeight(text) > maxPatternWeight)
    return problem('pattern', 'A pattern of the filter is too long or repeats too often.')
  return evaluator.isPattern(text)
    ? undefined
    : problem('pattern', 'A pattern of the filter is not a regular expression of RE2.')
}

/** The value of a string literal. */
export function literalString(expression: CelExpression | undefined): string | undefined {
  if (expression?.exprKind.case !== 'constExpr') return undefined
  const { constantKind } = expression.exprKind.value
  return constantKind.case === 'stringValue' ? constantKind.value : undefined
}

function placesWithin(place: Place): readonly Place[] {
  const { expression, depth, loops, names } = place
  const { exprKind } = expression
  const isLoop = exprKind.case === 'comprehensionExpr'
  const inside = isLoop
    ? new Set([...names, exprKind.value.iterVar, exprKind.value.accuVar])
    : names
  return childrenOf(expression).map((child) => ({
    expression: child,
    depth: depth + 1,
    loops: isLoop && child !== exprKind.value.iterRange ? loops + 1 : loops,
    names: isLoop && child === exprKind.value.iterRange ? names : inside,
  }))
}
