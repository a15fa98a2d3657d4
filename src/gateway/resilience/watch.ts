import type { Log } from '../../telemetry/log.ts'

/** What the guards of one group have counted since the process began. */
export type GuardCounts = {
  /** Requests that found no place to wait in. */
  withoutPlace: number
  ejections: number
  passedChecks: number
  failedChecks: number
  retries: number
  canary: number
  /** Requests that could have been sent again, had the budget allowed it. */
  withoutBudget: number
  /** How often the circuit opened. */
  openings: number
  /** Requests that were refused because it was open. */
  whileOpen: number
}

/** Where a guard tells what happens. */
export type Watch = {
  readonly groupName: string
  readonly log: Pick<Log, 'info' | 'warn'>
  /** Added to. */
  readonly counts: GuardCounts
}

export function blankCounts(): GuardCounts {
  return {
    ...{ withoutPlace: 0, ejections: 0, passedChecks: 0, failedChecks: 0 },
    ...{ canary: 0, retries: 0, withoutBudget: 0, openings: 0, whileOpen: 0 },
  }
}
