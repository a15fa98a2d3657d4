/** What a calendar quota renews with, in UTC. */
export type Period = 'hour' | 'day' | 'month'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** The length of a period; of a month, the longest there is. */
export const longestMs: Readonly<Record<Period, number>> = {
  hour: hourMs,
  day: dayMs,
  month: 31 * dayMs,
}

/**
 * When the period ends that a moment lies in.
 *
 * @param atMs milliseconds since the epoch, as is the answer
 */
export function endOfPeriod(period: Period, atMs: number): number {
  if (period === 'hour') return atMs - (atMs % hourMs) + hourMs
  if (period === 'day') return atMs - (atMs % dayMs) + dayMs
  const at = new Date(atMs)
  return Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 1)
}

/**
 * When a quota renews, told by what is left until then. Every period ends on a full hour, so a clock
 * here that is wrong by less than half an hour does not show.
 *
 * @param seconds until it renews, rounded up
 */
export function renewalAfter(seconds: number, nowMs: number): Date {
  return new Date(Math.round((nowMs + seconds * 1_000) / hourMs) * hourMs)
}
