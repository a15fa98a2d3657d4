import type { Context } from 'hono'
import type { SecurityPolicy } from '../../auth/policy.ts'
import type { AuthorizeByRoles } from '../../auth/roles/authorize.ts'
import type { RoleDecision } from '../../auth/roles/decide.ts'
import { crnElementsOf } from '../../catalog/crn-template.ts'
import { GatewayError } from '../../errors/gateway-error.ts'
import { left, type GatewayEnv } from '../exchange.ts'
import type { Answered, Step } from '../in-order.ts'

/**
 * Where the group says so, let a known caller do only what its roles allow. What is open to anybody
 * asks for no role. A partner has no roles but scopes, which it was authenticated with: an operation
 * that asks for none of them is not for partners.
 *
 * Throws {GatewayError} ACCESS_DENIED, RESOURCE_NOT_FOUND, DIRECTORY_UNAVAILABLE.
 */
export function requireRoleStep(authorizeByRoles: AuthorizeByRoles): Step {
  return (c) => {
    const { operation, params } = left(c, 'match')
    if (operation.group.authorization === 'upstream') return undefined
    const authentication = left(c, 'authentication')
    if (authentication.kind === 'anonymous') return undefined
    const { principal } = authentication
    if (principal.kind === 'partner') return requireScopes(operation.security)
    const place = crnElementsOf(operation.crn, params, c.env.head.target.query)
    const decision = authorizeByRoles(principal, operation.id, place)
    return decision instanceof Promise
      ? decision.then((later) => requireRole(c, later))
      : requireRole(c, decision)
  }
}

/** Whichever of the alternatives let the partner in, it has to be one with a scope. */
function requireScopes(security: SecurityPolicy): Answered {
  const asked = security.flat().filter(({ kind }) => kind === 'partner-access-token')
  if (asked.every(({ scopes }) => scopes.length > 0)) return undefined
  throw new GatewayError('ACCESS_DENIED')
}

function requireRole(c: Context<GatewayEnv>, decision: RoleDecision): Answered {
  if (decision === 'allowed') return undefined
  const { operation, params } = left(c, 'match')
  const namesSomething = Object.keys(params).length > 0
  if (decision === 'unrelated' && operation.group.hideExistence && namesSomething)
    throw new GatewayError('RESOURCE_NOT_FOUND')
  throw new GatewayError('ACCESS_DENIED')
}
