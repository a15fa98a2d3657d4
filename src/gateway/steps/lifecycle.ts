import { GatewayError } from '../../errors/gateway-error.ts'
import { left } from '../exchange.ts'
import type { Step } from '../in-order.ts'

/**
 * Refuse what has ended. What is about to end passes; `Deprecation`, `Sunset` and `Link` go with
 * every answer. Throws {GatewayError} GONE.
 */
export function lifecycleStep(): Step {
  return (c) => {
    const { stage, sunsetAt } = left(c, 'match').operation.lifecycle
    if (stage !== 'sunset') return undefined
    const day = sunsetAt === undefined ? '' : ` on ${sunsetAt.toISOString().slice(0, 10)}`
    throw new GatewayError('GONE', { details: `The operation was removed${day}.` })
  }
}
