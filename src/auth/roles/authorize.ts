import type { MemberPrincipal } from '../principal.ts'
import {
  decideByRoles,
  type MatchesCrn,
  type RoleBinding,
  type RoleDecision,
  type RoleQuestion,
} from './decide.ts'
import type { Roles } from './role.ts'

/** Every role of a user, a service account or an identity pool; a promise only where it is looked up. */
export type FindRoleBindings = (
  principalId: string,
) => readonly RoleBinding[] | Promise<readonly RoleBinding[]>

/**
 * Say whether a principal may use an operation on something of its own organization. On another
 * organization's, no role holds.
 *
 * A key has the roles of its owner; whoever is several identity pools has those of all of them.
 *
 * @param place where what the operation acts on is within the organization; one that begins with an
 *   organization says which
 * @throws {GatewayError} DIRECTORY_UNAVAILABLE, thrown or rejected
 */
export type AuthorizeByRoles = (
  principal: MemberPrincipal,
  operation: string,
  place: RoleQuestion['crn']['elements'],
) => RoleDecision | Promise<RoleDecision>

type Parts = {
  /** The roles in force; asked once a request. */
  readonly roles: () => Roles
  readonly findRoleBindings: FindRoleBindings
  readonly matchesCrn: MatchesCrn
  /** Of every name that we give. */
  readonly crnAuthority: string
}

/** Build what decides by roles. */
export function createAuthorizeByRoles(parts: Parts): AuthorizeByRoles {
  const { roles, findRoleBindings, matchesCrn, crnAuthority: authority } = parts
  return (principal, operation, place) => {
    const { organizationId } = principal
    const own = { kind: 'organization', id: organizationId }
    const [outermost, ...inner] = place
    const namesOrganization = outermost?.kind === own.kind
    if (namesOrganization && outermost.id !== own.id) return 'unrelated'
    const elements = [own, ...(namesOrganization ? inner : place)]
    const question = { organizationId, operation, crn: { authority, elements } }
    const decide = (found: readonly (readonly RoleBinding[])[]): RoleDecision =>
      decideByRoles(question, found.flat(), roles(), matchesCrn)
    const found = idsOf(principal).map(findRoleBindings)
    return found.every(isAtHand)
      ? decide(found)
      : Promise.all(found.map((each) => Promise.resolve(each))).then(decide)
  }
}

function isAtHand<Value>(found: Value | Promise<Value>): found is Value {
  return !(found instanceof Promise)
}

function idsOf({ id, pools }: MemberPrincipal): readonly string[] {
  return pools === undefined ? [id] : pools.ids
}
