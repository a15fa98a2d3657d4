import { GatewayError } from '../errors/gateway-error.ts'
import type { Caller } from '../gateway/service.ts'

/** Who asks for objects, within which organization, and by which request. */
export type Scope = {
  /** Objects of other organizations do not exist for the caller. */
  readonly organizationId: string
  /** As the directory writes it down beside each change. */
  readonly actor: { readonly id: string; readonly requestId: string; readonly address: string }
  /** A parameter of the path, decoded; empty where the path has none of the name. */
  readonly parameter: (name: string) => string
}

/**
 * The scope of a request.
 *
 * @throws {GatewayError} ACCESS_DENIED where the caller belongs to no organization, as partners do
 */
export function scopeOf(caller: Caller, parameter: Scope['parameter']): Scope {
  const { authentication, requestId, address } = caller
  const principal = authentication.kind === 'authenticated' ? authentication.principal : undefined
  if (principal?.organizationId === undefined)
    throw new GatewayError('ACCESS_DENIED', {
      cause: new Error('the caller is of no organization'),
    })
  const { organizationId, id } = principal
  return { organizationId, actor: { id, requestId, address }, parameter }
}
