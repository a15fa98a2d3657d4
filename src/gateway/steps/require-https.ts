import { GatewayError } from '../../errors/gateway-error.ts'
import type { Step } from '../in-order.ts'

/** Refuse a request that came in the clear, before its credentials are looked at. */
export function requireHttpsStep(): Step {
  return (c) => {
    if (c.env.secure || c.env.loopback) return undefined
    throw new GatewayError('HTTPS_REQUIRED')
  }
}
