import type { Catalog } from '../../catalog/catalog.ts'
import { GatewayError } from '../../errors/gateway-error.ts'
import type { ApiGroup } from '../api-group.ts'
import type { Step } from '../in-order.ts'

/** Find the operation that host, method and canonical path name. */
export function matchStep(catalog: () => Catalog<ApiGroup>): Step {
  return (c) => {
    const { head } = c.env
    const match = catalog().match(head.host, head.method, head.target.path)
    switch (match.kind) {
      case 'found':
        c.env.notes.match = match
        c.env.notes.group = match.operation.group
        return undefined
      case 'method-not-allowed':
        c.env.notes.group = match.group
        throw new GatewayError('METHOD_NOT_ALLOWED', { headers: { Allow: match.allow.join(', ') } })
      case 'not-found':
        if (match.group !== undefined) c.env.notes.group = match.group
        throw new GatewayError('OPERATION_NOT_FOUND')
      case 'host-unknown':
        throw new GatewayError('HOST_UNKNOWN')
    }
  }
}
