import type { Instance } from '../instance.ts'
import { blankCandidate, type Candidate, type Member } from './candidate.ts'
import { inTurn } from './smooth-round-robin.ts'

/** What of an upstream is asked at each request; an upstream that has none of it has no guard. */
export type GuardOptions = {
  readonly instances?: readonly { readonly url: string; readonly weight: number }[] | undefined
  /** Requests that may wait for a connection to one instance; undefined: no bound. */
  readonly maxPending?: number | undefined
  /** From the first sending to the end of the answer; undefined: no bound. */
  readonly totalTimeoutMs?: number | undefined
}

/** Says where each request of an upstream goes, and hears how it went. */
export type Guard = {
  /** From the first sending to the end of the answer; undefined: no bound. */
  readonly totalTimeoutMs: number | undefined
  /** How many instances a request may go to. */
  readonly size: number
  /**
   * Where to send a request.
   *
   * @param tried where it was sent before; these are passed over while there is another
   * @returns undefined where as many requests as may wait already do, at every instance
   */
  readonly choose: (tried: readonly Candidate[]) => Candidate | undefined
}

/** @returns undefined where the plain way is enough: instances used in turn */
export function createGuard(
  members: readonly Member[],
  { instances, maxPending, totalTimeoutMs }: GuardOptions,
): Guard | undefined {
  if (instances === undefined && maxPending === undefined && totalTimeoutMs === undefined) {
    return undefined
  }
  const candidates = members.map(blankCandidate)
  const hasRoom = ({ instance }: Candidate): boolean =>
    maxPending === undefined || waiting(instance) < maxPending
  return {
    totalTimeoutMs,
    size: candidates.length,
    choose: (tried) =>
      inTurn(candidates, (one) => !tried.includes(one) && hasRoom(one)) ??
      inTurn(candidates, hasRoom),
  }
}

/** How many requests would wait for a connection to an instance; below 0 where some are free. */
function waiting({ dispatcher, pipelined, capacity }: Instance): number {
  return dispatcher.stats.size + (pipelined?.stats.size ?? 0) - capacity
}
