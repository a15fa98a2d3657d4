import { repeat } from '../../periodic/repeat.ts'
import { connectProbe, type ConnectionOptions } from '../instance.ts'
import type { Candidate } from './candidate.ts'
import type { Watch } from './watch.ts'

/** How instances are asked whether they are well. */
export type HealthCheckOptions = {
  /** On the instance's own origin; the path of its URL is not put before it. */
  readonly path: string
  /** From the end of one check to the next. */
  readonly intervalMs: number
  /** For the whole answer. */
  readonly timeoutMs: number
  /** So many good answers in a row bring an instance back. */
  readonly healthyThreshold: number
  /** So many bad ones take it out. */
  readonly unhealthyThreshold: number
}

/** More of an answer's body is not read. */
const maxBodyBytes = 65_536

/**
 * Ask each instance again and again, on a connection of its own: one that is busy to its last
 * connection is not ill. Any 2xx is a good answer.
 *
 * @returns stops it, and closes the connections
 */
export function startHealthChecks(
  candidates: readonly Candidate[],
  options: HealthCheckOptions,
  connections: ConnectionOptions,
  watch: Watch,
): () => void {
  const stops = candidates.map((candidate) => watchOver(candidate, options, connections, watch))
  return () => {
    for (const stop of stops) stop()
  }
}

function watchOver(
  candidate: Candidate,
  options: HealthCheckOptions,
  connections: ConnectionOptions,
  watch: Watch,
): () => void {
  const probe = connectProbe(new URL(candidate.url), connections)
  const note = createNote(candidate, options, watch)
  const checks = repeat({ intervalMs: options.intervalMs, atOnce: true, ref: false }, check)
  return () => {
    void checks.close()
    // Ends the check that is under way; its failure is not heard any more.
    void probe.destroy()
  }

  async function check(closing: AbortSignal): Promise<void> {
    const problem = await problemOf()
    if (!closing.aborted) note(problem)
  }

  async function problemOf(): Promise<string | undefined> {
    const signal = AbortSignal.timeout(options.timeoutMs)
    try {
      const { path } = options
      const { statusCode, body } = await probe.request({ method: 'GET', path, signal })
      await body.dump({ limit: maxBodyBytes, signal })
      return statusCode >= 200 && statusCode < 300 ? undefined : `status ${statusCode}`
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }
}

/** Take down what a check found; undefined: nothing is wrong. */
function createNote(
  candidate: Candidate,
  { healthyThreshold, unhealthyThreshold }: HealthCheckOptions,
  { groupName, log, counts }: Watch,
): (problem: string | undefined) => void {
  let inARow = 0
  return (problem) => {
    const isGood = problem === undefined
    if (isGood) counts.passedChecks += 1
    else counts.failedChecks += 1
    inARow = isGood === candidate.isHealthy ? 0 : inARow + 1
    if (inARow < (isGood ? healthyThreshold : unhealthyThreshold)) return
    inARow = 0
    candidate.isHealthy = isGood
    const { url } = candidate
    if (isGood) log.info({ group: groupName, healthy: url }, 'an instance passes its checks again')
    else log.warn({ group: groupName, unhealthy: url, problem }, 'an instance fails its checks')
  }
}
