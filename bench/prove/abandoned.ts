import { Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { until } from '../../test/support/until.ts'
import { digestOf } from './bodies.ts'
import type { Caller } from './caller.ts'
import { noise } from './noise.ts'
import type { Upstream } from './upstream.ts'

/** Large enough not to fit into what lies between. */
const bytes = 100_000_000

/** How long the upstream takes to hear that a caller went away in the middle of a body. */
export async function abortMs(caller: Caller, authorization: string, upstream: Upstream) {
  const idle = (): boolean => upstream.inFlight() === 0
  const timed = async (abandon: () => void): Promise<number> => {
    const startMs = performance.now()
    abandon()
    await until(idle).catch(() => undefined)
    return performance.now() - startMs
  }
  await until(idle)
  const { body } = await caller.open(0, { path: `/wide/download/${bytes}`, authorization })
  body.on('error', () => undefined)
  const download = await timed(() => body.destroy())

  const abort = new AbortController()
  const endless = Readable.from(untilAborted(abort.signal), { objectMode: false })
  const options = { path: '/wide/upload', authorization, method: 'POST', body: endless } as const
  const answer = caller.open(0, { ...options, signal: abort.signal }).catch(() => undefined)
  await until(() => !idle())
  const upload = await timed(() => {
    abort.abort()
  })
  await answer
  return { download, upload }
}

async function* untilAborted(signal: AbortSignal): AsyncGenerator<Buffer> {
  for (const piece of noise(bytes)) {
    if (signal.aborted) return
    yield piece
    await pause(10)
  }
}

/**
 * How long the caller takes to hear that the upstream broke off in the middle of an answer; infinite
 * where it took the answer for a whole one.
 */
export async function breakOffMs(
  caller: Caller,
  authorization: string,
  upstream: Upstream,
): Promise<number> {
  try {
    const response = await caller.open(0, { path: `/wide/break/${bytes}`, authorization })
    await digestOf(response.body)
    return Number.POSITIVE_INFINITY
  } catch {
    return performance.now() - upstream.brokeOffMs()
  }
}
