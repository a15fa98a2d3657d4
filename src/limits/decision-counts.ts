import type { Admission } from './outcome.ts'

/** How requests were decided since the start. */
export type DecisionCounts = {
  readonly admitted: number
  readonly refused: number
  readonly unavailable: number
  /** Of the admitted: those that this process admitted alone. */
  readonly degraded: number
  /** Of the admitted: those that took no call, for tokens were taken ahead. */
  readonly fromTokens: number
  /** Of the refused: those that took no call, because the window was known to be exhausted. */
  readonly remembered: number
  /** Of the refused: those that exceeded a quota. */
  readonly overQuota: number
  /** Of the refused: those that found no free slot. */
  readonly withoutSlot: number
  /** Of the admitted: those that a limit in shadow mode would have refused. */
  readonly shadowed: number
}

export type DecisionCounter = {
  /** @returns the admission itself */
  readonly count: (admission: Admission) => Admission
  /** Count an admission that took no call, though Redis has counted it. */
  readonly countFromTokens: (admission: Admission) => Admission
  /** Count a refusal that took no call. */
  readonly countRemembered: (admission: Admission) => Admission
  readonly read: () => DecisionCounts
}

export function createDecisionCounter(): DecisionCounter {
  const counts = {
    ...{ admitted: 0, refused: 0, unavailable: 0 },
    ...{ degraded: 0, fromTokens: 0, remembered: 0, overQuota: 0, withoutSlot: 0, shadowed: 0 },
  }
  const count = (admission: Admission): Admission => {
    counts[admission.kind] += 1
    if (admission.kind === 'admitted') {
      if (admission.degraded) counts.degraded += 1
      if (admission.wouldDeny !== undefined) counts.shadowed += 1
    } else if (admission.kind === 'refused') {
      if (admission.reason === 'quota') counts.overQuota += 1
      else if (admission.reason === 'concurrency') counts.withoutSlot += 1
    }
    return admission
  }
  return {
    count,
    countFromTokens(admission) {
      counts.fromTokens += 1
      return count(admission)
    },
    countRemembered(admission) {
      counts.remembered += 1
      return count(admission)
    },
    read: () => ({ ...counts }),
  }
}
