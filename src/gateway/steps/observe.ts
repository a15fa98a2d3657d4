import type { MiddlewareHandler } from 'hono'
import { accessRecord, type WriteAccess } from '../access-log.ts'
import type { GatewayEnv } from '../exchange.ts'

/** Write one access record when the response has ended, however it ended. */
export function observeStep(writeAccess: WriteAccess): MiddlewareHandler<GatewayEnv> {
  return (c, next) => {
    c.env.outgoing.once('close', () => {
      writeAccess(accessRecord(c))
    })
    return next()
  }
}
