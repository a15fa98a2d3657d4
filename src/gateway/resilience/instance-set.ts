import type { Instance } from '../instance.ts'
import { blankCandidate, type Candidate, type Member } from './candidate.ts'
import { createOutliers, type OutlierOptions } from './outliers.ts'
import { inTurn } from './smooth-round-robin.ts'
import type { Watch } from './watch.ts'

export type InstanceSetOptions = {
  /** Requests that may wait for a connection to one instance; undefined: no bound. */
  readonly maxPending?: number | undefined
  readonly outlierDetection?: OutlierOptions | undefined
}

/** Instances that stand for each other. */
export type InstanceSet = {
  readonly candidates: readonly Candidate[]
  /**
   * Where to send a request.
   *
   * @param tried where it was sent before; these are passed over while there is another
   * @returns undefined where as many requests as may wait already do
   */
  readonly choose: (tried: readonly Candidate[]) => Candidate | undefined
  /** Whether it gets requests; a set in which none is available uses all. */
  readonly isAvailable: (candidate: Candidate) => boolean
  readonly succeeded: (candidate: Candidate) => void
  readonly failed: (candidate: Candidate, reason: string) => void
}

export function createInstanceSet(
  members: readonly Member[],
  { maxPending, outlierDetection }: InstanceSetOptions,
  watch: Watch,
): InstanceSet {
  const candidates = members.map(blankCandidate)
  const outliers =
    outlierDetection && createOutliers(candidates, outlierDetection, watch, () => performance.now())
  const hasRoom = ({ instance }: Candidate): boolean =>
    maxPending === undefined || waiting(instance) < maxPending
  const isAvailable = (candidate: Candidate): boolean =>
    candidate.isHealthy && outliers?.isEjected(candidate) !== true

  return {
    candidates,
    isAvailable,
    choose(tried) {
      // Checks that say of every instance that it is ill may be wrong themselves: then all are used.
      const mayGo = candidates.some(isAvailable)
        ? (one: Candidate) => isAvailable(one) && hasRoom(one)
        : hasRoom
      return (
        inTurn(candidates, (one) => !tried.includes(one) && mayGo(one)) ?? inTurn(candidates, mayGo)
      )
    },
    succeeded(candidate) {
      outliers?.succeeded(candidate)
    },
    failed(candidate, reason) {
      outliers?.failed(candidate, reason)
    },
  }
}

/** How many requests would wait for a connection to an instance; below 0 where some are free. */
function waiting({ connections, pipelined, upgrading, capacity }: Instance): number {
  return connections.size + (pipelined?.size ?? 0) + upgrading.stats.size - capacity
}
