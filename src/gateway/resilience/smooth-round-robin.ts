import type { Candidate } from './candidate.ts'

/**
 * Whose turn it is: smooth weighted round robin, as nginx has it. Each candidate is owed its weight at
 * every turn, and who is owed most goes and pays the whole. So of weights 3 and 1 three of every four
 * requests go to the first, never all three in a row before a fourth of another; and who was passed
 * over comes back at its own share, not with a rush.
 *
 * @returns undefined where nobody may go
 */
export function inTurn(
  candidates: readonly Candidate[],
  mayGo: (candidate: Candidate) => boolean,
): Candidate | undefined {
  let total = 0
  let chosen: Candidate | undefined
  for (const candidate of candidates) {
    if (!mayGo(candidate)) continue
    candidate.owed += candidate.weight
    total += candidate.weight
    if (chosen === undefined || candidate.owed > chosen.owed) chosen = candidate
  }
  if (chosen !== undefined) chosen.owed -= total
  return chosen
}
