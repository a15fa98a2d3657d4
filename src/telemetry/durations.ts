/** Upper bounds of the buckets, in seconds: from what a gateway takes to what callers give up on. */
export const durationBounds: readonly number[] = [
  ...[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05],
  ...[0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
]

/** Durations counted by bucket, in plain numbers. */
export type Durations = {
  readonly observe: (ms: number) => void
  readonly read: () => DurationCounts
}

export type DurationCounts = {
  /** How many took no longer than each of `durationBounds`; a bucket includes those before it. */
  readonly atMost: readonly number[]
  readonly count: number
  readonly sumSeconds: number
}

export function createDurations(): Durations {
  const inBucket = new Float64Array(durationBounds.length + 1)
  const boundsMs = Float64Array.from(durationBounds, (seconds) => seconds * 1_000)
  let sumMs = 0
  return {
    observe(ms) {
      let place = 0
      // Most are in the first buckets, so a search from the left is the shortest.
      while (place < boundsMs.length && ms > (boundsMs[place] ?? 0)) place += 1
      inBucket[place] = (inBucket[place] ?? 0) + 1
      sumMs += ms
    },
    read() {
      let count = 0
      const sums = Array.from(inBucket, (inThis) => (count += inThis))
      return { atMost: sums.slice(0, -1), count, sumSeconds: sumMs / 1_000 }
    },
  }
}
