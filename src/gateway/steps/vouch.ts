import type { AssertIdentity } from '../../auth/own/assertion.ts'
import { left } from '../exchange.ts'
import type { Answered, Step } from '../in-order.ts'

/** Have signed who calls, where the group's upstream wants it. Throws {GatewayError} DIRECTORY_UNAVAILABLE. */
export function vouchStep(assertIdentity: AssertIdentity): Step {
  return (c) => {
    const { upstream } = left(c, 'match').operation.group
    const audience = upstream.kind === 'network' ? upstream.handOff.assertionAudience : undefined
    const authentication = left(c, 'authentication')
    if (audience === undefined || authentication.kind === 'anonymous') return undefined
    const proceed = (assertion: string): Answered => {
      c.env.notes.assertion = assertion
      return undefined
    }
    const assertion = assertIdentity(authentication, audience)
    return assertion instanceof Promise ? assertion.then(proceed) : proceed(assertion)
  }
}
