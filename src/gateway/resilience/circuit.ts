import {
  BrokenCircuitError,
  circuitBreaker,
  CircuitState,
  CountBreaker,
  handleType,
} from 'cockatiel'
import { GatewayError } from '../../errors/gateway-error.ts'
import type { Forwarded } from '../forwarded.ts'
import { saysItCannot } from './verdict.ts'
import type { Watch } from './watch.ts'

/** When nothing is sent to an upstream any more, for a time. */
export type CircuitOptions = {
  /** More than this share of the last requests must have failed. */
  readonly failurePercent: number
  /** So many requests are looked at; with fewer it stays closed. */
  readonly lastRequests: number
  /** How long nothing is sent; then one request tries. */
  readonly openMs: number
}

/** The circuit breaker of one upstream. */
export type Circuit = {
  /**
   * Send a request, unless the circuit is open. While one request tries whether it can be closed, all
   * others are refused.
   *
   * @throws {GatewayError} SERVICE_UNAVAILABLE with Retry-After
   */
  readonly run: (send: () => Promise<Forwarded>) => Promise<Forwarded>
  readonly isOpen: () => boolean
}

/** The upstream failed. */
class Failed extends Error {}

/** Nothing was learned of the upstream: the client went away, or sent what could not be forwarded. */
class Unknown extends Error {}

export function createCircuit(options: CircuitOptions, watch: Watch): Circuit {
  const { failurePercent, lastRequests, openMs } = options
  let openedAtMs = 0
  const policy = circuitBreaker(handleType(Failed), {
    halfOpenAfter: openMs,
    breaker: new CountBreaker({ threshold: failurePercent / 100, size: lastRequests }),
  })
  report()

  return {
    isOpen: () => policy.state !== CircuitState.Closed,
    async run(send) {
      // cockatiel would let others wait for the one that tries, for as long as that takes.
      if (policy.state === CircuitState.HalfOpen) throw refusal(1)
      let outcome: PromiseSettledResult<Forwarded> | undefined
      try {
        await policy.execute(async () => {
          ;[outcome] = await Promise.allSettled([send()])
          judge(outcome)
        })
      } catch (error) {
        if (error instanceof BrokenCircuitError) throw refusal(secondsLeft())
        if (!(error instanceof Failed || error instanceof Unknown)) throw error
      }
      if (outcome?.status === 'fulfilled') return outcome.value
      throw outcome?.reason
    },
  }

  /** @throws {Failed | Unknown} which the circuit counts, or does not */
  function judge(outcome: PromiseSettledResult<Forwarded>): void {
    const verdict = verdictOf(outcome)
    if (verdict === 'answered') return
    // One that tries and learns nothing must not close the circuit.
    const isTrying = policy.state === CircuitState.HalfOpen
    throw verdict === 'failed' || isTrying ? new Failed() : new Unknown()
  }

  function secondsLeft(): number {
    return Math.max(1, Math.ceil((openedAtMs + openMs - Date.now()) / 1_000))
  }

  function refusal(retryAfterSeconds: number): GatewayError {
    watch.counts.whileOpen += 1
    const cause = new Error('the circuit is open')
    return new GatewayError('SERVICE_UNAVAILABLE', { retryAfterSeconds, cause })
  }

  function report(): void {
    const group = watch.groupName
    policy.onBreak(() => {
      openedAtMs = Date.now()
      watch.counts.openings += 1
      watch.log.warn({ group, circuit: 'open', openMs }, 'an upstream fails and is asked no more')
    })
    policy.onReset(() => {
      watch.log.info({ group, circuit: 'closed' }, 'an upstream answers again')
    })
  }
}

function verdictOf(outcome: PromiseSettledResult<Forwarded>): 'answered' | 'failed' | 'unknown' {
  if (outcome.status === 'rejected') return ofUpstream(outcome.reason) ? 'failed' : 'unknown'
  const { value } = outcome
  if (value.kind === 'client-gone') return 'unknown'
  return value.kind === 'upstream-error' && saysItCannot(value.status) ? 'failed' : 'answered'
}

function ofUpstream(error: unknown): boolean {
  return error instanceof GatewayError && error.code.startsWith('UPSTREAM_')
}
