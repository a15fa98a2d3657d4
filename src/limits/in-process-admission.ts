import type { FindLimits, Subject, WindowLimit } from './applicable-limits.ts'
import type { DecisionCounter } from './decision-counts.ts'
import { createInProcessLimits } from './in-process.ts'
import { createLeases } from './leases.ts'
import { outcome, type Admission } from './outcome.ts'
import type { NoteUse } from './usage-warnings.ts'

/** Admission without Redis: at once, by what this process has counted. */
export type InProcessAdmission = {
  readonly admit: (subject: Subject) => Admission
  /** Admitted requests that hold a slot now. */
  readonly heldLeases: () => number
  /** What is counted in a window. */
  readonly used: (window: WindowLimit) => number
}

type Parts = {
  readonly findLimits: FindLimits
  readonly counter: DecisionCounter
  readonly noteUse: NoteUse
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number
}

export function createInProcessAdmission(parts: Parts): InProcessAdmission {
  const { findLimits, counter, noteUse, now } = parts
  // Leases end with the process that holds them, so nobody is to be told about them.
  const leases = createLeases({ now, processId: 'in-process', onRelease: () => undefined })
  const inProcess = createInProcessLimits({ ...parts, occupied: leases.occupied })
  return {
    admit(subject) {
      const limits = findLimits(subject)
      const verdict = inProcess.decide(limits)
      noteUse(limits, verdict)
      const hold = () => leases.hold(leases.create(limits.leased))
      return counter.count(outcome(limits, verdict, hold, false))
    },
    heldLeases: leases.count,
    used: inProcess.used,
  }
}
