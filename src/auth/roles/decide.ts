import type { Roles } from './role.ts'

/** The name of a resource: whose it is, and where, from the outermost inwards. */
export type Crn = {
  readonly authority: string
  readonly elements: readonly { readonly kind: string; readonly id: string }[]
}

/** Whether a resource is one that a pattern means, or within one. A text that is no pattern: never. */
export type MatchesCrn = (pattern: string, crn: Crn) => boolean

/** A role that a principal has, and on what. */
export type RoleBinding = {
  readonly organizationId: string
  readonly role: string
  readonly crnPattern: string
}

/**
 * What roles say of a request: `unrelated` where the principal has no role at all on what it names,
 * and so is not to learn that it exists.
 */
export type RoleDecision = 'allowed' | 'forbidden' | 'unrelated'

/** One request, as roles see it. */
export type RoleQuestion = {
  /** Of the principal. */
  readonly organizationId: string
  /** The operation's `id` in the catalog. */
  readonly operation: string
  /** What the operation acts on. */
  readonly crn: Crn
}

/** Decide by the bindings of a principal whether it may do what it asks for. */
export function decideByRoles(
  { organizationId, operation, crn }: RoleQuestion,
  bindings: readonly RoleBinding[],
  roles: Roles,
  matchesCrn: MatchesCrn,
): RoleDecision {
  const holding = bindings.filter(
    (binding) => binding.organizationId === organizationId && matchesCrn(binding.crnPattern, crn),
  )
  if (holding.length === 0) return 'unrelated'
  return holding.some(({ role }) => roles.get(role)?.has(operation)) ? 'allowed' : 'forbidden'
}
