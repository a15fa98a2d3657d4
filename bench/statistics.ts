/** A median, and the extremes that it was taken from. */
export type Spread = { readonly median: number; readonly min: number; readonly max: number }

/** @throws {RangeError} where there is no value */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const low = sorted[Math.ceil(middle) - 1]
  const high = sorted[Math.floor(middle)]
  const [min, max] = [sorted[0], sorted.at(-1)]
  if (low === undefined || high === undefined || min === undefined || max === undefined) {
    throw new RangeError('There is no median of nothing')
  }
  return { median: (low + high) / 2, min, max }
}

/**
 * How many times as much the first took as the second, round by round: what disturbed a round
 * disturbed its neighbours too, and drops out of their ratio.
 */
export function ratioOf(values: readonly number[], base: readonly number[]): Spread {
  return spreadOf(values.map((value, round) => value / (base[round] ?? Number.NaN)))
}

/**
 * What a run cannot tell apart, as shares, by the ratios of one contestant to itself under two names:
 * how far the median was off, which should have been 1, and the furthest that a single round was.
 */
export function resolutionOf(pair: Spread): { readonly median: number; readonly round: number } {
  const off = (ratio: number): number => Math.abs(ratio - 1)
  return { median: off(pair.median), round: Math.max(off(pair.min), off(pair.max)) }
}

/**
 * How far two means are apart, in units of what chance alone makes of samples like these. Beyond
 * 4.5, as leakage tests have it, chance is no explanation.
 *
 * @throws {RangeError} where a sample has less than two values
 * @see Welch, "The generalization of 'Student's' problem" (1947); ISO/IEC 17825 for the 4.5
 */
export function welchT(a: readonly number[], b: readonly number[]): number {
  const [ofA, ofB] = [momentsOf(a), momentsOf(b)]
  return (ofA.mean - ofB.mean) / Math.sqrt(ofA.variance / a.length + ofB.variance / b.length)
}

function momentsOf(values: readonly number[]): {
  readonly mean: number
  readonly variance: number
} {
  if (values.length < 2) throw new RangeError('There is no variance of less than two values')
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return { mean, variance: squares / (values.length - 1) }
}
