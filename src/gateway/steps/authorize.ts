import { grantsThatOpen } from '../../catalog/lifecycle.ts'
import { GatewayError } from '../../errors/gateway-error.ts'
import { left } from '../exchange.ts'
import type { Answered, Step } from '../in-order.ts'

/** The names of all that an organization was granted; a promise only where they are looked up. */
export type FindGrants = (
  organizationId: string,
) => ReadonlySet<string> | Promise<ReadonlySet<string>>

/**
 * Let only organizations with a grant use what is in Early Access. The grant is called what the
 * document says (`x-request-access-name`), or as the group. A partner's scopes are its grant.
 *
 * Throws {GatewayError} ACCESS_DENIED, DIRECTORY_UNAVAILABLE.
 */
export function authorizeStep(findGrants: FindGrants): Step {
  return (c) => {
    const { lifecycle, group } = left(c, 'match').operation
    if (lifecycle.stage !== 'early-access' && lifecycle.selfAccess) return undefined
    const opening = grantsThatOpen(lifecycle, group.name)
    const authentication = left(c, 'authentication')
    if (authentication.kind === 'anonymous') throw denied()
    const { principal } = authentication
    if (principal.kind === 'partner') return undefined
    const grants = findGrants(principal.organizationId)
    return grants instanceof Promise
      ? grants.then((found) => requireGrant(opening, found))
      : requireGrant(opening, grants)
  }
}

function requireGrant(opening: readonly string[], grants: ReadonlySet<string>): Answered {
  if (opening.some((name) => grants.has(name))) return undefined
  throw denied()
}

function denied(): GatewayError {
  return new GatewayError('ACCESS_DENIED', {
    details: 'The operation is in Early Access, which the organization was not granted.',
  })
}
