import type { ApplicableLimits, Subject } from './applicable-limits.ts'
import type { DecisionCounter } from './decision-counts.ts'
import { createInProcessLimits } from './in-process.ts'
import { createLeases } from './leases.ts'
import { outcome, type Admission } from './outcome.ts'

/** Admission without Redis: at once, by what this process has counted. */
export type InProcessAdmission = {
  readonly admit: (subject: Subject) => Admission
  /** Admitted requests that hold a slot now. */
  readonly heldLeases: () => number
}

type Parts = {
  readonly findLimits: (subject: Subject) => ApplicableLimits
  readonly counter: DecisionCounter
  /** Monotonic milliseconds. */
  readonly now: () => number
}

export function createInProcessAdmission({ findLimits, counter, now }: Parts): InProcessAdmission {
  // Leases end with the process that holds them, so nobody is to be told about them.
  const leases = createLeases({ now, processId: 'in-process', onRelease: () => undefined })
  const inProcess = createInProcessLimits({ now, occupied: leases.occupied })
  return {
    admit(subject) {
      const limits = findLimits(subject)
      const verdict = inProcess.decide(limits)
      const hold = () => leases.hold(leases.create(limits.slots))
      return counter.count(outcome(limits, verdict, hold, false))
    },
    heldLeases: leases.count,
  }
}
