import type { Context } from 'hono'
import { GatewayError } from '../../errors/gateway-error.ts'
import {
  renewalAfter,
  type Admission,
  type Admit,
  type AdmitAddress,
} from '../../limits/admission.ts'
import { limitedAddress } from '../client.ts'
import { left, whenEnded, type GatewayEnv } from '../exchange.ts'
import type { Answered, Step } from '../in-order.ts'

/**
 * Let the request pass if every limit that applies to it has room now. Callers who are not known
 * are counted by address.
 *
 * The permit goes with the response's body: it is given back when the response has been sent or
 * its connection is gone, whichever way that comes about.
 */
export function admitStep(admit: Admit, admitAddress: AdmitAddress): Step {
  // Not async: what is known at once is answered at once.
  return (c) => {
    const authentication = left(c, 'authentication')
    const { operation } = left(c, 'match')
    const decision =
      authentication.kind === 'anonymous'
        ? admitAddress(limitedAddress(c.env.client.address), operation.group.limitClass)
        : admit({
            // A partner belongs to no organization, so it is its own.
            organizationId: authentication.principal.organizationId ?? authentication.principal.id,
            principalId: authentication.principal.id,
            limitClass: operation.group.limitClassOf(operation),
          })
    return decision instanceof Promise
      ? decision.then((admission) => proceed(c, admission))
      : proceed(c, decision)
  }
}

function proceed(c: Context<GatewayEnv>, admission: Admission): Answered {
  if (admission.kind === 'unavailable') throw new GatewayError('LIMITER_UNAVAILABLE')
  if (admission.limit !== undefined) c.env.notes.limit = admission.limit
  if (admission.kind === 'refused') return refusal(admission)
  if (admission.degraded) c.env.notes.degraded = true
  if (admission.wouldDeny !== undefined) c.env.notes.shadow = admission.wouldDeny.join(' ')
  whenEnded(c.env, admission.permit.release)
  return undefined
}

type Refused = Extract<Admission, { kind: 'refused' }>

function refusal(refused: Refused): GatewayError {
  const { reason, scope, retryAfterSeconds } = refused
  if (reason === 'quota') {
    return new GatewayError('QUOTA_EXCEEDED', { details: overQuota(refused), retryAfterSeconds })
  }
  const code = reason === 'rate' ? 'RATE_LIMIT_EXCEEDED' : 'CONCURRENCY_LIMIT_EXCEEDED'
  const key = `${code} ${scope} ${retryAfterSeconds}`
  const known = remembered.get(key)
  if (known !== undefined) return known
  const details = `The limit of the ${scope} is reached.`
  const error = new GatewayError(code, { details, retryAfterSeconds })
  if (remembered.size >= maxRemembered) remembered.clear()
  remembered.set(key, error)
  return error
}

/** Refusals come in floods, and these tell nothing of the request; making an error costs as much as deciding. */
const remembered = new Map<string, GatewayError>()
const maxRemembered = 1_000

function overQuota({ quota, scope, limit, retryAfterSeconds }: Refused): string {
  const renewal = renewalAfter(retryAfterSeconds, Date.now()).toISOString().replace('.000', '')
  return `The quota ${quota?.name ?? ''} allows the ${scope} ${limit.limit} in each ${quota?.period ?? 'period'}, of which ${limit.remaining} are left; it renews at ${renewal}.`
}
