import type { MiddlewareHandler } from 'hono'
import { GatewayError } from '../errors/gateway-error.ts'
import { scopeOf } from '../resource-api/scope.ts'
import type { ApiEnv } from '../resource-api/serve-collection.ts'

/**
 * Operations that touch nothing but the caller's own organization. Whatever is not here is for
 * operators, so that what somebody adds and forgets is closed.
 */
const forEveryOrganization: readonly (readonly [methods: readonly string[], path: RegExp])[] = [
  [['GET', 'HEAD', 'POST', 'PATCH', 'DELETE'], /^\/gatehouse\/v1\/resources(?:\/|$)/],
  [['GET', 'HEAD'], /^\/gatehouse\/v1\/(?:access-grants|audit-events)(?:\/|$)/],
  [['POST'], /^\/gatehouse\/v1\/explanations$/],
]

/**
 * Refuse what concerns other organizations than the caller's to everybody but an operator. Roles
 * alone do not decide it: they are the same for all organizations, and each has an administrator
 * who holds every operation.
 */
export function operatorsOnly(
  isOperator: (organizationId: string) => boolean,
): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const { organizationId } = scopeOf(c.env, () => '')
    const isOpen = forEveryOrganization.some(
      ([methods, path]) => methods.includes(c.req.method) && path.test(c.req.path),
    )
    if (!isOpen && !isOperator(organizationId)) throw notOperator()
    await next()
  }
}

/** The refusal of who is of no operator. */
export function notOperator(): GatewayError {
  return new GatewayError('ACCESS_DENIED', {
    details: 'Only organizations that operate the gateway may do this.',
  })
}
