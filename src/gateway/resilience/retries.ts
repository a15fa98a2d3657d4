/** How often a request may be sent again where that is safe. */
export type RetryOptions = {
  /** The first one included. */
  readonly maxAttempts: number
  /** Retries, as a share of requests; what is not used is kept for a burst. */
  readonly budgetPercent: number
  /** So many retries may come at once. */
  readonly burst: number
}

/**
 * A budget of retries for all requests of an upstream. Where everything fails, retries would
 * otherwise multiply what comes to an upstream that can do no more.
 */
export type Retries = {
  readonly maxAttempts: number
  /** A request came; it adds its share to the budget. */
  readonly note: () => void
  /** Take one retry, or learn that there is none. */
  readonly take: () => boolean
}

export function createRetries({ maxAttempts, budgetPercent, burst }: RetryOptions): Retries {
  // In hundredths of a retry, so that shares add up exactly.
  const most = burst * 100
  let left = most
  return {
    maxAttempts,
    note() {
      left = Math.min(most, left + budgetPercent)
    },
    take() {
      if (left < 100) return false
      left -= 100
      return true
    },
  }
}

/** How long to wait before the same instance is asked again: half of it by chance. */
export function pauseMs(attempts: number, random: () => number): number {
  return 20 * 2 ** (attempts - 1) * (0.5 + random() / 2)
}
