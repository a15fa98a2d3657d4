import type { parse } from '@bufbuild/cel'

/** A CEL expression as parsed, macros expanded into comprehensions. */
export type CelExpression = NonNullable<ReturnType<typeof parse>['expr']>

/** The expressions within an expression; of a comprehension, all five parts. */
export function childrenOf({ exprKind }: CelExpression): readonly CelExpression[] {
  switch (exprKind.case) {
    case 'selectExpr':
      return present([exprKind.value.operand])
    case 'callExpr':
      return present([exprKind.value.target, ...exprKind.value.args])
    case 'listExpr':
      return exprKind.value.elements
    case 'structExpr':
      return exprKind.value.entries.flatMap(({ keyKind, value }) =>
        present([keyKind.case === 'mapKey' ? keyKind.value : undefined, value]),
      )
    case 'comprehensionExpr': {
      const { iterRange, accuInit, loopCondition, loopStep, result } = exprKind.value
      return present([iterRange, accuInit, loopCondition, loopStep, result])
    }
    case 'constExpr':
    case 'identExpr':
    case undefined:
      return []
  }
}

function present(parts: readonly (CelExpression | undefined)[]): readonly CelExpression[] {
  return parts.filter((part) => part !== undefined)
}
