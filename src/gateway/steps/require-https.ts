import type { MiddlewareHandler } from 'hono'
import { GatewayError } from '../../errors/gateway-error.ts'
import type { GatewayEnv } from '../exchange.ts'

/** Refuse a request that came in the clear, before its credentials are looked at. */
export function requireHttpsStep(): MiddlewareHandler<GatewayEnv> {
  return (c, next) => {
    if (c.env.secure || c.env.loopback) return next()
    throw new GatewayError('HTTPS_REQUIRED')
  }
}
