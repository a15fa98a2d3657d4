import { GatewayError } from '../../errors/gateway-error.ts'
import { left } from '../exchange.ts'
import type { Step } from '../in-order.ts'

/**
 * Refuse an upgrade that the group does not allow, before anything is spent on it.
 *
 * Throws {GatewayError} UPGRADE_NOT_IMPLEMENTED.
 */
export function upgradeStep(): Step {
  return (c) => {
    const { upgrade } = c.env
    if (upgrade === undefined) return undefined
    const { upgrades, upgradeIdleTimeoutMs } = left(c, 'match').operation.group
    if (!upgrades.includes(upgrade.protocol)) throw new GatewayError('UPGRADE_NOT_IMPLEMENTED')
    upgrade.idleTimeoutMs = upgradeIdleTimeoutMs
    return undefined
  }
}
