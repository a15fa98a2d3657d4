import type { Caller } from './caller.ts'
import { openLoop } from './load.ts'

/** What came of the requests of one phase. */
export type Phase = {
  readonly latenciesMs: readonly number[]
  readonly statuses: ReadonlyMap<number | 'broken', number>
}

/** A load that does not wait for answers. Answers count for the phase that their request began in. */
export type SteadyLoad = {
  /** From now on another user asks. @returns the phase that begins */
  phase(call: { readonly path: string; readonly authorization: string }): Phase
  /** Wait for all answers. */
  stop(): Promise<void>
}

type Call = { readonly path: string; readonly authorization: string }

/** @param first what is called until the first phase begins; it counts nowhere */
export function steadyLoad(caller: Caller, perSecond: number, first: Call): SteadyLoad {
  let call = first
  let current: { latenciesMs: number[]; statuses: Map<number | 'broken', number> } = newPhase()
  const loop = openLoop(perSecond, async (dueMs) => {
    const phase = current
    const status = (await caller.call(call)) ?? 'broken'
    // From when it was due: a stall of the sender counts like one of the gateway.
    phase.latenciesMs.push(performance.now() - dueMs)
    phase.statuses.set(status, (phase.statuses.get(status) ?? 0) + 1)
  })
  return {
    phase(next) {
      call = next
      current = newPhase()
      return current
    },
    stop: () => loop.stop(),
  }
}

function newPhase() {
  return { latenciesMs: [] as number[], statuses: new Map<number | 'broken', number>() }
}

/** Answers that are neither admitted nor refused by a limit. */
export function failuresIn(phases: readonly Phase[]): number {
  const all = phases.flatMap(({ statuses }) => [...statuses])
  const failed = all.filter(([status]) => status !== 200 && status !== 429)
  return failed.reduce((sum, [, times]) => sum + times, 0)
}

export function requestsIn(phases: readonly Phase[]): number {
  return phases.reduce((sum, { latenciesMs }) => sum + latenciesMs.length, 0)
}
