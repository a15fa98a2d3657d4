/**
 * Wait for work, but no longer than a deadline; the work itself goes on.
 *
 * @param what names the work in the error's message
 * @throws {Error} when the deadline passes first
 */
export async function withDeadline<Result>(
  work: Promise<Result>,
  deadlineMs: number,
  what: string,
): Promise<Result> {
  const { promise: expiry, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    reject(new Error(`${what} took longer than ${deadlineMs} ms`))
  }, deadlineMs)
  try {
    return await Promise.race([work, expiry])
  } finally {
    clearTimeout(timer)
  }
}
