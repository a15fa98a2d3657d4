import type { CredentialKind, Requirement, SecurityPolicy } from '../auth/policy.ts'
import type { Findings } from './findings.ts'
import { isObject, itemsOf, memberOf, membersOf, textOf } from './json.ts'

/** What a group's configuration says about the security schemes of its document. */
export type SecurityRules = {
  /** Credential kind of each scheme name; 'ignore' drops the alternatives that name the scheme. */
  readonly schemes: Readonly<Record<string, CredentialKind | 'ignore'>>
  /** What opens operations for which nothing is declared; absent: they are a problem. */
  readonly undeclaredSecurity?: 'anonymous' | readonly CredentialKind[] | undefined
}

const anonymous: SecurityPolicy = [[]]

/**
 * Compile the security of one operation. Whatever cannot be understood is a problem and opens
 * nothing.
 *
 * @param declared the operation's `security`, or the document's where the operation has none
 * @param root of the document, for its `components.securitySchemes`
 * @see OpenAPI 3.1.1 §4.8.30 (Security Requirement Object)
 */
export function compileSecurity(
  declared: unknown,
  root: unknown,
  rules: SecurityRules,
  findings: Findings,
): SecurityPolicy {
  if (declared === undefined || declared === null) return undeclared(rules, findings)
  if (!Array.isArray(declared)) {
    findings.problem('its "security" is not a list')
    return []
  }
  if (declared.length === 0) return anonymous
  const alternatives = declared.map((alternative: unknown) =>
    compileAlternative(alternative, root, rules, findings),
  )
  if (alternatives.every((alternative) => alternative === 'ignored')) {
    findings.problem('nothing opens it: every one of its security alternatives is ignored')
  }
  return alternatives.filter((alternative) => typeof alternative !== 'string')
}

function undeclared({ undeclaredSecurity }: SecurityRules, findings: Findings): SecurityPolicy {
  if (undeclaredSecurity === 'anonymous') return anonymous
  if (undeclaredSecurity !== undefined) {
    return undeclaredSecurity.map((kind) => [{ kind, scheme: kind, scopes: [] }])
  }
  findings.problem(
    'it declares no security; say what opens such operations with "undeclaredSecurity" of the group',
  )
  return []
}

function compileAlternative(
  alternative: unknown,
  root: unknown,
  rules: SecurityRules,
  findings: Findings,
): readonly Requirement[] | 'ignored' | 'invalid' {
  if (!isObject(alternative)) {
    findings.problem('one of its security alternatives is not an object')
    return 'invalid'
  }
  const requirements: Requirement[] = []
  let outcome: 'required' | 'ignored' | 'invalid' = 'required'
  for (const [scheme, scopes] of membersOf(alternative)) {
    const kind = kindOf(scheme, root, rules, findings)
    if (kind === undefined) outcome = 'invalid'
    // Without its ignored member the alternative would open to less than it asks for.
    else if (kind === 'ignore') outcome = outcome === 'invalid' ? 'invalid' : 'ignored'
    else requirements.push({ kind, scheme, scopes: scopesOf(scopes) })
  }
  if (outcome !== 'required') return outcome
  warnOfImpossible(requirements, findings)
  return requirements
}

function scopesOf(scopes: unknown): readonly string[] {
  return itemsOf(scopes).flatMap((scope) => textOf(scope) ?? [])
}

function kindOf(
  scheme: string,
  root: unknown,
  { schemes }: SecurityRules,
  findings: Findings,
): CredentialKind | 'ignore' | undefined {
  if (Object.hasOwn(schemes, scheme)) return schemes[scheme]
  // Since 3.2 a scheme can be named by a reference to it.
  const name = scheme.replace('#/components/securitySchemes/', '')
  if (Object.hasOwn(schemes, name)) return schemes[name]
  const defined = memberOf(memberOf(memberOf(root, 'components'), 'securitySchemes'), name)
  const reason =
    defined === undefined
      ? 'the document does not define it and nothing maps it'
      : 'nothing maps it'
  findings.problem(
    `its security scheme "${scheme}" has no meaning: ${reason}; map it to a credential kind, or to "ignore", under "schemes"`,
  )
  return undefined
}

/** A request carries one credential, and a credential is of one kind. */
function warnOfImpossible(requirements: readonly Requirement[], findings: Findings): void {
  const kinds = new Set(requirements.map(({ kind }) => kind))
  if (kinds.size > 1) {
    findings.warning(
      `no single credential satisfies its security alternative ${[...kinds].join(' and ')}`,
    )
  }
}
