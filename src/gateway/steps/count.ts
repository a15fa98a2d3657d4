import type { Context } from 'hono'
import { GatewayError } from '../../errors/gateway-error.ts'
import type { BeginCounting } from '../../limits/admission.ts'
import { left, whenEnded, type GatewayEnv } from '../exchange.ts'
import type { Answered, Step } from '../in-order.ts'

type Begun = Awaited<ReturnType<BeginCounting>>

/**
 * Reserve a place for what the request is going to create, where its operation says so. It comes
 * after admission, so that whoever asks too often does not reach the database.
 */
export function countStep(begin: BeginCounting): Step {
  return (c) => {
    const { operation } = left(c, 'match')
    const counted = operation.group.countedOf?.(operation)
    if (counted === undefined) return undefined
    const authentication = left(c, 'authentication')
    // What nobody in particular creates counts for nobody.
    if (authentication.kind === 'anonymous') return undefined
    const { id, organizationId = id } = authentication.principal
    const begun = begin(counted, { organizationId, principalId: id })
    return begun instanceof Promise ? begun.then((later) => proceed(c, later)) : proceed(c, begun)
  }
}

function proceed(c: Context<GatewayEnv>, begun: Begun): Answered {
  if ('quota' in begun) {
    const { name, scope } = begun.quota
    throw new GatewayError('QUOTA_EXCEEDED', {
      details: `The quota ${name} allows the ${scope} ${begun.limit}, of which none is left.`,
    })
  }
  const { notes } = c.env
  notes.counting = begun
  if (begun.wouldDeny.length > 0)
    notes.shadow = [...(notes.shadow === undefined ? [] : [notes.shadow]), ...begun.wouldDeny].join(
      ' ',
    )
  whenEnded(c.env, begun.ended)
  return undefined
}
