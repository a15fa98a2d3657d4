import { childrenOf, type CelExpression } from './expression.ts'
import { loopFunction } from './work-budget.ts'

/**
 * Put a charge before every loop: the number of elements times the nodes evaluated for each. Loops
 * within loops charge for themselves.
 *
 * @returns the nodes evaluated once
 */
export function chargeLoops(expression: CelExpression): number {
  const { case: kind, value } = expression.exprKind
  if (kind !== 'comprehensionExpr')
    return costOf(kind) + childrenOf(expression).reduce((sum, child) => sum + chargeLoops(child), 0)
  const once = [value.accuInit, value.result].map((part) => (part ? chargeLoops(part) : 0))
  const each = [value.loopCondition, value.loopStep].map((part) => (part ? chargeLoops(part) : 0))
  const range = value.iterRange
  if (range === undefined) return 1
  const nodes = 2 + chargeLoops(range) + sum(once)
  value.iterRange = callLoop(range, 4 + sum(each))
  return nodes
}

/** A member or an element that is missing is an error value, which takes longer than any other node. */
function costOf(kind: CelExpression['exprKind']['case']): number {
  return kind === 'selectExpr' ? 8 : 1
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

function callLoop(range: CelExpression, weight: number): CelExpression {
  return {
    $typeName: 'cel.expr.Expr',
    id: range.id,
    exprKind: {
      case: 'callExpr',
      value: {
        $typeName: 'cel.expr.Expr.Call',
        function: loopFunction,
        args: [range, integer(range.id, weight)],
      },
    },
  }
}

function integer(id: bigint, value: number): CelExpression {
  const constantKind = { case: 'int64Value', value: BigInt(value) } as const
  return {
    $typeName: 'cel.expr.Expr',
    id,
    exprKind: { case: 'constExpr', value: { $typeName: 'cel.expr.Constant', constantKind } },
  }
}
