import { setTimeout as pause } from 'node:timers/promises'
import type { Contestant } from './contestants/contestant.ts'
import { runLoad, type Load, type LoadResult } from './load.ts'
import { busyMicros, cpuMicrosOf, familyOf, rssMbOf } from './proc.ts'
import type { Upstream } from './upstream.ts'

/** One window of one contestant. */
export type Window = {
  readonly cpuMicrosPerRequest: number
  readonly redisMicrosPerRequest: number
  readonly requestsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly rssMb: number
  /** CPU time that was spent outside this run, as a share of all that the machine has. */
  readonly foreignShare: number
}

/** What windows are measured with. */
export type Bench = {
  readonly upstream: Upstream
  readonly redisPid: number
  readonly cores: number
  /** What a reader of the figures must know of the windows, counted here. */
  readonly counts: {
    /** Windows that others disturbed. */
    dropped: number
    /** Requests in windows that were decided without Redis: less work than the figures claim. */
    degraded: number
  }
}

/** Where a load goes. */
export type Target = Omit<Load, 'port' | 'durationMs'> & { readonly windowMs: number }

/** Time for connections to open and for the caches of the CPU to fill, before a window begins. */
const rampMs = 500
/** Past the end of a window, since wrk takes whole seconds and the clock is read a little later. */
const tailMs = 200

const maxForeignShare = 0.1
const maxTriesPerWindow = 15
/** Who disturbs one window disturbs the next: waiting is cheaper than measuring for nothing. */
const pauseMs = 2_000

/**
 * Measure until a window was not disturbed. What others do is looked at, never the figures
 * themselves.
 *
 * @throws {Error} where too many windows in a row were disturbed, or anything was answered but 200
 */
export async function undisturbed(bench: Bench, measure: () => Promise<Window>): Promise<Window> {
  for (let tries = 0; tries < maxTriesPerWindow; tries++) {
    const window = await measure()
    if (window.foreignShare <= maxForeignShare) return window
    bench.counts.dropped += 1
    await pause(pauseMs)
  }
  throw new Error(
    `${maxTriesPerWindow} windows in a row had more than ${maxForeignShare * 100} % foreign CPU: this machine is too busy`,
  )
}

/** Load a contestant, and count what reaches the upstream between two instants. */
export async function measureForwarding(
  bench: Bench,
  contestant: Contestant,
  target: Target,
): Promise<Window> {
  const durationMs = rampMs + target.windowMs + tailMs
  contestant.takeDegraded?.()
  const load = runLoad({ ...target, port: contestant.port, durationMs })
  await Promise.race([pause(rampMs), load])
  const meter = readMeter(bench, contestant)
  const before = meter(await bench.upstream.requests())
  await Promise.race([pause(target.windowMs), load])
  const after = meter(await bench.upstream.requests())
  const result = await load
  assertAllPassed(contestant, result)
  bench.counts.degraded += contestant.takeDegraded?.() ?? 0
  return windowOf(bench, before, after, result)
}

/**
 * Load a contestant that refuses everything. Since nothing reaches the upstream, wrk's count is taken, and what
 * goes before the window is a load of its own.
 */
export async function measureRefusals(
  bench: Bench,
  contestant: Contestant,
  target: Target,
): Promise<Window> {
  const forwarded = await bench.upstream.requests()
  await runLoad({ ...target, port: contestant.port, durationMs: rampMs })
  const idle = readMeter(bench, contestant)(0)
  const load = runLoad({ ...target, port: contestant.port, durationMs: target.windowMs })
  const meter = readMeter(bench, contestant)
  const before = { ...idle, foreignMicros: meter(0).foreignMicros }
  // What wrk used is not seen once it has ended, so others are looked at a moment before.
  await Promise.race([pause(target.windowMs - tailMs), load])
  const { foreignMicros } = meter(0)
  const result = await load
  assertAllRefused(contestant, result)
  if ((await bench.upstream.requests()) !== forwarded) {
    throw new Error(`${contestant.name} forwarded a request that it had to refuse`)
  }
  return windowOf(bench, before, { ...meter(result.requests), foreignMicros }, result)
}

function assertAllRefused({ name, server }: Contestant, result: LoadResult): void {
  server.assertRuns()
  if (result.badStatus === result.requests && result.brokenConnections === 0) return
  throw new Error(`${name} did not refuse everything: ${JSON.stringify(result)}`)
}

function assertAllPassed(contestant: Contestant, result: LoadResult): void {
  contestant.server.assertRuns()
  if (result.badStatus === 0 && result.brokenConnections === 0) return
  throw new Error(`${contestant.name} answered something else than 200: ${JSON.stringify(result)}`)
}

type Reading = {
  readonly atMs: number
  readonly requests: number
  readonly cpuMicros: number
  readonly redisMicros: number
  readonly foreignMicros: number
  readonly rssMb: number
}

/** Which processes there are is found out once: looking takes longer than reading their clocks. */
function readMeter({ redisPid }: Bench, { server }: Contestant): (requests: number) => Reading {
  const contestant = familyOf([server.pid])
  const ours = familyOf([process.pid])
  return (requests) => ({
    atMs: performance.now(),
    cpuMicros: cpuMicrosOf(contestant),
    redisMicros: cpuMicrosOf([redisPid]),
    requests,
    foreignMicros: busyMicros() - cpuMicrosOf(ours),
    rssMb: rssMbOf(contestant),
  })
}

function windowOf(bench: Bench, before: Reading, after: Reading, load: LoadResult): Window {
  const requests = after.requests - before.requests
  if (requests <= 0) throw new Error('No request came through in a whole window')
  const elapsedMs = after.atMs - before.atMs
  const foreign = (after.foreignMicros - before.foreignMicros) / (elapsedMs * 1_000 * bench.cores)
  return {
    cpuMicrosPerRequest: (after.cpuMicros - before.cpuMicros) / requests,
    redisMicrosPerRequest: (after.redisMicros - before.redisMicros) / requests,
    requestsPerSecond: (requests / elapsedMs) * 1_000,
    p50Ms: load.p50Micros / 1_000,
    p99Ms: load.p99Micros / 1_000,
    rssMb: after.rssMb,
    foreignShare: Math.max(0, foreign),
  }
}
