/**
 * Wait for work, but no longer than a deadline; the work itself goes on. What has waited before may
 * have used all of its time, and more: it gets what is at hand.
 *
 * A deadline that passes while this process was busy with something else is no sign of a slow
 * server: its answer may have arrived and lie unread. So what has arrived is read first.
 *
 * @throws {Error} when there is no answer by the deadline
 */
export function withDeadline<Result>(work: Promise<Result>, deadlineMs: number): Promise<Result> {
  const { promise, resolve, reject } = Promise.withResolvers<Result>()
  const giveUp = (): void => {
    reject(new Error(`Redis did not answer within ${Math.round(deadlineMs)} ms`))
  }
  // Timers run before input is read, immediates after it.
  const timer = setTimeout(() => setImmediate(giveUp), Math.max(1, deadlineMs))
  work.then(resolve, reject).finally(() => {
    clearTimeout(timer)
  })
  return promise
}
