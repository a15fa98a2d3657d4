import type { Instance } from '../instance.ts'

/** One instance as it is configured, with its connections. */
export type Member = {
  readonly url: string
  /** Its share of the requests, against the weights of the others. */
  readonly weight: number
  readonly instance: Instance
}

/** A member, and what is known of how it does. Times are milliseconds of a monotonic clock. */
export type Candidate = Member & {
  /** How much of its share it was not given yet, in units of weight. */
  owed: number
  /** Failures in a row of what was sent to it. */
  failures: number
  /** Ejections, each soon after the one before it. */
  ejections: number
  /** Until when it gets nothing for its failures; 0 where it was not ejected, or has answered since. */
  ejectedUntilMs: number
  /** What the health checks say; true until they have said otherwise. */
  isHealthy: boolean
}

/** Before the first request. */
export function blankCandidate(member: Member): Candidate {
  return { ...member, owed: 0, failures: 0, ejections: 0, ejectedUntilMs: 0, isHealthy: true }
}
