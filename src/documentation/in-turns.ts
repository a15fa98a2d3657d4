import { setImmediate as turn } from 'node:timers/promises'

/** How long the event loop may be held at a time. */
const sliceMs = 5

/** Take steps to their end; after some milliseconds of them, whoever else waits has a turn. */
export async function inTurns<Result>(steps: Generator<undefined, Result>): Promise<Result> {
  let sinceMs = performance.now()
  for (;;) {
    const { done, value } = steps.next()
    if (done === true) return value
    if (performance.now() - sinceMs < sliceMs) continue
    await turn()
    sinceMs = performance.now()
  }
}
