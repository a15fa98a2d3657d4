import type { Candidate } from './candidate.ts'
import type { Watch } from './watch.ts'

/** When an instance that fails is left alone, and for how long. */
export type OutlierOptions = {
  /** So many failures in a row eject it. */
  readonly consecutiveFailures: number
  /** For how long at first; each further ejection doubles it. */
  readonly baseEjectionMs: number
  readonly maxEjectionMs: number
  /** Never more than this share of the instances at once, rounded down. */
  readonly maxEjectedPercent: number
}

/** Passive health: what requests tell of the instances that they went to. */
export type Outliers = {
  readonly isEjected: (candidate: Candidate) => boolean
  readonly succeeded: (candidate: Candidate) => void
  readonly failed: (candidate: Candidate, reason: string) => void
}

/** @param now monotonic milliseconds */
export function createOutliers(
  candidates: readonly Candidate[],
  options: OutlierOptions,
  { groupName, log, counts }: Watch,
  now: () => number,
): Outliers {
  const most = Math.floor((candidates.length * options.maxEjectedPercent) / 100)
  const isEjected = ({ ejectedUntilMs }: Candidate): boolean =>
    ejectedUntilMs !== 0 && now() < ejectedUntilMs

  return {
    isEjected,
    succeeded(candidate) {
      // One that was sent before the ejection says nothing new.
      if (isEjected(candidate)) return
      candidate.failures = 0
      if (candidate.ejectedUntilMs === 0) return
      candidate.ejectedUntilMs = 0
      log.info({ group: groupName, returned: candidate.url }, 'an instance answers again')
    },
    failed(candidate, reason) {
      if (isEjected(candidate)) return
      candidate.failures += 1
      if (candidate.failures < options.consecutiveFailures) return
      if (candidates.filter(isEjected).length < most) eject(candidate, reason)
    },
  }

  function eject(candidate: Candidate, reason: string): void {
    // The first request after an ejection is a probe: one more failure ejects again, for longer.
    const isAgain = candidate.ejectedUntilMs !== 0
    candidate.ejections = isAgain ? candidate.ejections + 1 : 0
    const ejectedForMs = ejectionMs(candidate.ejections, options)
    candidate.ejectedUntilMs = now() + ejectedForMs
    counts.ejections += 1
    const { failures, url } = candidate
    log.warn(
      { group: groupName, ejected: url, ejectedForMs, failures, reason },
      'an instance fails and gets no requests for now',
    )
  }
}

function ejectionMs(before: number, { baseEjectionMs, maxEjectionMs }: OutlierOptions): number {
  return Math.min(maxEjectionMs, baseEjectionMs * 2 ** Math.min(before, 30))
}
