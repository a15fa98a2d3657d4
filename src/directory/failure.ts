import { GatewayError } from '../errors/gateway-error.ts'

/**
 * Say what a driver's error means to a caller: a violated constraint is the caller's mistake; a
 * server that is away, overloaded or too slow is unavailable. Anything else is a bug and stays.
 *
 * @see PostgreSQL, Appendix A (SQLSTATE codes)
 */
export function meaningOf(error: unknown): unknown {
  const { sqlState, constraint } = serverReport(error)
  if (sqlState === undefined || isUnavailability.test(sqlState))
    return new GatewayError('DIRECTORY_UNAVAILABLE', { cause: error })
  if (sqlState === '23505') return conflict(constraint, error)
  if (sqlState === '23503') return new GatewayError('RESOURCE_NOT_FOUND', { cause: error })
  // A check constraint, or a value that its column's type does not take.
  if (sqlState === '23514' || sqlState.startsWith('22'))
    return new GatewayError('VALIDATION_FAILED', { cause: error })
  return error
}

/**
 * Connection lost, refused or not authorized, database missing, deadlock, out of resources, operator
 * or deadline intervened, system error.
 */
const isUnavailability = /^(?:08|28|3D|40|53|57|58|55000|55P03|25P0[234])/

function conflict(constraint: string | undefined, cause: unknown): GatewayError {
  const details = conflicts[constraint ?? '']
  return new GatewayError('CONFLICT', { cause, ...(details === undefined ? {} : { details }) })
}

const conflicts: Readonly<Record<string, string>> = {
  environment_name: 'The organization has an environment with this name.',
  user_email: 'The organization has a user with this e-mail address.',
  service_account_name: 'The organization has a service account with this name.',
  identity_provider_issuer: 'The organization has an identity provider with this issuer.',
  limit_overrides_pkey: 'This limit is overridden already.',
  access_grants_pkey: 'The organization has this grant already.',
  role_binding_once: 'The principal has this role there already.',
  resource_name: 'The gateway knows this resource already.',
}

/** Both drivers' errors carry `severity` where a server reported them; system errors do not. */
function serverReport(error: unknown): { sqlState?: string; constraint?: string } {
  if (!(error instanceof Error && 'severity' in error && 'code' in error)) return {}
  const constraint = 'constraint' in error ? error.constraint : undefined
  return {
    ...(typeof error.code === 'string' ? { sqlState: error.code } : {}),
    ...(typeof constraint === 'string' ? { constraint } : {}),
  }
}
