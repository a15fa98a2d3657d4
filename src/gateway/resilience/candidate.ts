import type { Instance } from '../instance.ts'

/** One instance as it is configured, with its connections. */
export type Member = {
  readonly url: string
  /** Its share of the requests, against the weights of the others. */
  readonly weight: number
  readonly instance: Instance
}

/** A member, and what is known of how it does. */
export type Candidate = Member & {
  /** How much of its share it was not given yet, in units of weight. */
  owed: number
}

/** Before the first request. */
export function blankCandidate(member: Member): Candidate {
  return { ...member, owed: 0 }
}
