import type { Contestant } from './contestants/contestant.ts'
import { undisturbed, type Bench, type Window } from './measure.ts'

/** The windows of each contestant, by its name; those of one round stand at the same place. */
export type Rounds = ReadonlyMap<string, readonly Window[]>

/**
 * Measure contestants in turn, round after round, so that whatever changes on the machine in the
 * meantime meets all of them. Every other round goes backwards: nobody always follows the same one.
 */
export async function interleave(
  bench: Bench,
  contestants: readonly Contestant[],
  count: number,
  measure: (contestant: Contestant) => Promise<Window>,
): Promise<Rounds> {
  const rounds = new Map<string, Window[]>(contestants.map(({ name }) => [name, []]))
  for (let round = 0; round < count; round++) {
    const order = round % 2 === 0 ? contestants : contestants.toReversed()
    for (const contestant of order) {
      const window = await undisturbed(bench, () => measure(contestant))
      rounds.get(contestant.name)?.push(window)
      tell(`${round + 1}/${count}`, contestant, window)
    }
  }
  return rounds
}

/** On standard error, so that a run that takes minutes shows that it lives. */
function tell(round: string, { name }: Contestant, window: Window): void {
  const { cpuMicrosPerRequest, requestsPerSecond, foreignShare } = window
  const figures = `${cpuMicrosPerRequest.toFixed(1)} µs, ${requestsPerSecond.toFixed(0)} requests/s`
  process.stderr.write(
    `${round} ${name}: ${figures}, foreign CPU ${(foreignShare * 100).toFixed(1)} %\n`,
  )
}
