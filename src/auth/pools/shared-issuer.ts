import type { CelExpression } from './expression.ts'
import { literalString } from './filter-syntax.ts'

/** Shorter, a prefix such as `repo:` is one that everybody's `sub` begins with. */
const minPrefixLength = 8

/**
 * Say whether a filter can only be true for a chosen `sub` or `aud`. It is for issuers that serve
 * many customers, where without it every customer of the issuer would match.
 *
 * What counts: `claims.sub` or `claims.aud` equal to a string, `in` a list of strings, a string
 * `in claims.aud`, `claims.aud.exists(a, a == …)`, and `claims.sub.startsWith(…)` of at least eight
 * characters; under `&&` on one side, under `||` and `?:` on all. Suffixes and patterns do not:
 * every client of Google's has the same suffix.
 */
export function constrainsCaller(expression: CelExpression): boolean {
  return constrains(expression, isCallerClaim)
}

type IsSubject = (expression: CelExpression | undefined) => boolean

function constrains(expression: CelExpression | undefined, isSubject: IsSubject): boolean {
  const kind = expression?.exprKind
  if (kind?.case === 'comprehensionExpr') return constrainsElement(kind.value, isSubject)
  // `false` admits nobody.
  if (kind?.case === 'constExpr')
    return kind.value.constantKind.case === 'boolValue' && !kind.value.constantKind.value
  if (kind?.case !== 'callExpr') return false
  const { function: name, target, args } = kind.value
  const [first, second, third] = args
  switch (name) {
    case '_&&_':
      return args.some((arg) => constrains(arg, isSubject))
    case '_||_':
      return args.every((arg) => constrains(arg, isSubject))
    case '_?_:_':
      return (
        (constrains(first, isSubject) || constrains(second, isSubject)) &&
        constrains(third, isSubject)
      )
    case '_==_':
      return (isSubject(first) && isValue(second)) || (isValue(first) && isSubject(second))
    case '@in':
      return (isSubject(first) && isListOfValues(second)) || (isValue(first) && isSubject(second))
    case 'startsWith':
      return isClaim(target, ['sub']) && (literalString(first)?.length ?? 0) >= minPrefixLength
    default:
      return false
  }
}

type Comprehension = Extract<
  CelExpression['exprKind'],
  { readonly case: 'comprehensionExpr' }
>['value']

/** `claims.aud.exists(a, …)`: the loop is `@result || …`, and true only where an element is chosen. */
function constrainsElement(loop: Comprehension, isSubject: IsSubject): boolean {
  const step = loop.loopStep?.exprKind
  if (!isSubject(loop.iterRange) || step?.case !== 'callExpr') return false
  if (step.value.function !== '_||_' || !isIdentifier(loop.result, loop.accuVar)) return false
  const [, test] = step.value.args
  return constrains(test, (candidate) => isIdentifier(candidate, loop.iterVar))
}

function isIdentifier(expression: CelExpression | undefined, name: string): boolean {
  return expression?.exprKind.case === 'identExpr' && expression.exprKind.value.name === name
}

function isCallerClaim(expression: CelExpression | undefined): boolean {
  return isClaim(expression, ['sub', 'aud'])
}

/** `claims.sub` or `claims["sub"]`; `has(claims.sub)` is neither. */
function isClaim(expression: CelExpression | undefined, names: readonly string[]): boolean {
  const kind = expression?.exprKind
  if (kind?.case === 'selectExpr')
    return (
      !kind.value.testOnly &&
      names.includes(kind.value.field) &&
      isIdentifier(kind.value.operand, 'claims')
    )
  if (kind?.case !== 'callExpr' || kind.value.function !== '_[_]') return false
  const [root, name] = kind.value.args
  return isIdentifier(root, 'claims') && names.includes(literalString(name) ?? '')
}

function isValue(expression: CelExpression | undefined): boolean {
  return (literalString(expression) ?? '') !== ''
}

function isListOfValues(expression: CelExpression | undefined): boolean {
  if (expression?.exprKind.case !== 'listExpr') return false
  return expression.exprKind.value.elements.every(isValue)
}
