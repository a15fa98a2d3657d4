import type { MatchesCrn } from './auth/roles/decide.ts'
import { matches, parsePattern, type CrnPattern } from './crn/pattern.ts'

/** Patterns that are kept read; beyond it, all are read anew. */
const maxRemembered = 10_000

/** Say what patterns mean, each read once for as long as it is in use. */
export function createMatchesCrn(): MatchesCrn {
  const read = new Map<string, CrnPattern | undefined>()
  const patternOf = (text: string): CrnPattern | undefined => {
    if (read.has(text)) return read.get(text)
    if (read.size >= maxRemembered) read.clear()
    const pattern = parsePattern(text)
    read.set(text, pattern)
    return pattern
  }
  return (text, crn) => {
    const pattern = patternOf(text)
    return pattern !== undefined && matches(pattern, crn)
  }
}
