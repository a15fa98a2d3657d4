import type { ConnectionOptions } from '../instance.ts'
import type { Candidate, Member } from './candidate.ts'
import { startHealthChecks, type HealthCheckOptions } from './health-checks.ts'
import { createInstanceSet, type InstanceSet, type InstanceSetOptions } from './instance-set.ts'
import { createIsForCanary, type CanaryOptions, type IsForCanary } from './canary.ts'
import { createCircuit, type Circuit, type CircuitOptions } from './circuit.ts'
import { createRetries, type Retries, type RetryOptions } from './retries.ts'
import type { GuardCounts, Watch } from './watch.ts'

/** What of an upstream is asked at each request; an upstream that has none of it has no guard. */
export type GuardOptions = InstanceSetOptions & {
  readonly instances?: readonly { readonly url: string; readonly weight: number }[] | undefined
  /** From the first sending to the end of the answer; undefined: no bound. */
  readonly totalTimeoutMs?: number | undefined
  readonly healthCheck?: HealthCheckOptions | undefined
  readonly canary?: CanaryOptions | undefined
  readonly retries?: RetryOptions | undefined
  readonly circuitBreaker?: CircuitOptions | undefined
}

/** Says where each request of an upstream goes, and hears how it went. */
export type Guard = {
  /** From the first sending to the end of the answer; undefined: no bound. */
  readonly totalTimeoutMs: number | undefined
  /** Undefined: a request is sent again only where the connection was at fault, and once. */
  readonly retries: Retries | undefined
  readonly circuit: Circuit | undefined
  readonly counts: GuardCounts
  /** How many instances a request may go to. */
  readonly size: number
  /**
   * Where to send a request.
   *
   * @param tried where it was sent before; these are passed over while there is another
   * @returns undefined where as many requests as may wait already do, at every instance
   */
  readonly choose: (tried: readonly Candidate[], isForCanary: boolean) => Candidate | undefined
  readonly isForCanary: IsForCanary
  /** The instance answered, and not that it cannot. */
  readonly succeeded: (candidate: Candidate) => void
  /** The instance could not be reached, did not answer in time, or answered that it cannot. */
  readonly failed: (candidate: Candidate, reason: string) => void
  readonly read: () => GuardReading
  /** Begin to ask instances for their health; once it serves, since a configuration may be refused. */
  readonly start: () => void
  readonly stop: () => void
}

/** How the instances do now. */
export type GuardReading = {
  readonly groupName: string
  readonly counts: Readonly<GuardCounts>
  readonly instances: readonly { readonly url: string; readonly isAvailable: boolean }[]
  /** Undefined where there is no circuit breaker. */
  readonly isOpen: boolean | undefined
}

/** The usual instances, and those that are new. */
type Members = { readonly members: readonly Member[]; readonly canaries: readonly Member[] }

/** @returns undefined where the plain way is enough: instances used in turn */
export function createGuard(
  { members, canaries }: Members,
  options: GuardOptions & ConnectionOptions,
  watch: Watch,
): Guard | undefined {
  if (!isAsked(options)) return undefined
  const { totalTimeoutMs, healthCheck, retries, circuitBreaker } = options
  const set = createInstanceSet(members, options, watch)
  const canary = createInstanceSet(canaries, options, watch)
  const all = [...set.candidates, ...canary.candidates]
  const setOf = (one: Candidate): InstanceSet => (canary.candidates.includes(one) ? canary : set)
  const circuit = circuitBreaker && createCircuit(circuitBreaker, watch)
  let stopChecks: (() => void) | undefined
  return {
    totalTimeoutMs,
    retries: retries && createRetries(retries),
    circuit,
    counts: watch.counts,
    size: all.length,
    isForCanary: options.canary === undefined ? () => false : createIsForCanary(options.canary),
    choose(tried, isForCanary) {
      // What failed there is answered by what has been tried and tested.
      const isThere =
        isForCanary && tried.length === 0 && canary.candidates.some(canary.isAvailable)
      const first = isThere ? canary.choose(tried) : undefined
      if (first !== undefined) watch.counts.canary += 1
      const chosen = first ?? set.choose(tried)
      if (chosen === undefined) watch.counts.withoutPlace += 1
      return chosen
    },
    succeeded(candidate) {
      setOf(candidate).succeeded(candidate)
    },
    failed(candidate, reason) {
      setOf(candidate).failed(candidate, reason)
    },
    read: () => ({
      groupName: watch.groupName,
      counts: watch.counts,
      isOpen: circuit?.isOpen(),
      instances: all.map((one) => ({ url: one.url, isAvailable: setOf(one).isAvailable(one) })),
    }),
    start() {
      stopChecks ??= healthCheck && startHealthChecks(all, healthCheck, options, watch)
    },
    stop() {
      stopChecks?.()
      stopChecks = undefined
    },
  }
}

function isAsked(options: GuardOptions): boolean {
  const { instances, maxPending, totalTimeoutMs, outlierDetection, healthCheck } = options
  const { retries, circuitBreaker, canary } = options
  const asked = [instances, maxPending, totalTimeoutMs, outlierDetection, healthCheck]
  return [...asked, retries, circuitBreaker, canary].some((option) => option !== undefined)
}
