import { readdirSync } from 'node:fs'
import { ended, findProgram, startServer } from '../../test/support/processes.ts'
import { provide } from '../../test/support/provide-servers.ts'
import { pause } from './load.ts'

/** One way to be slow, as slowhttptest knows it. */
export type SlowKind = {
  readonly name: string
  /** Options of slowhttptest beside those about whom and how many. */
  readonly options: readonly string[]
  /** Behind the gateway's URL. */
  readonly path: string
  /** An Authorization value; undefined: they present none, and are refused. */
  readonly authorization: string | undefined
}

/** What became of slow connections, by the descriptors of the process that they came to. */
export type Ended = {
  /** The most that it had beside those from before. */
  readonly most: number
  /** From the first connection to the moment when the last one was gone; infinite where some stayed. */
  readonly seconds: number
  /** Descriptors that it has afterwards beside those from before. */
  readonly left: number
}

/** An attacker's target. */
export type SlowTarget = { readonly url: string; readonly pid: number }

const slack = 10
const everyMs = 50
const patienceMs = 40_000

/** @throws {Error} where slowhttptest is not there and cannot be installed */
export function provideSlowhttptest(): void {
  const find = (): string | undefined => findProgram('slowhttptest')
  const wanted = { name: 'slowhttptest', debianPackage: 'slowhttptest', find }
  if (provide([wanted], 'this proof').length === 0) return
  throw new Error('slowhttptest is missing; on Debian: apt-get install slowhttptest')
}

/**
 * Open slow connections, all within two seconds, and watch until the process has closed them.
 *
 * slowhttptest has no option for a field of one's own. It writes cookies as they are given, so that
 * another field can follow in them.
 */
export async function attackSlowly(
  { url, pid }: SlowTarget,
  connections: number,
  { options, path, authorization }: SlowKind,
): Promise<Ended> {
  const before = descriptorsOf(pid)
  const cookie = authorization === undefined ? [] : ['-j', `a=b\r\nAuthorization: ${authorization}`]
  const many = ['-c', String(connections), '-r', String(connections), '-p', '1', '-l', '60']
  const attacker = startServer('slowhttptest', [...many, ...options, ...cookie, '-u', url + path])
  try {
    let most = 0
    let beganMs: number | undefined
    const giveUpMs = performance.now() + patienceMs
    while (performance.now() < giveUpMs) {
      const more = descriptorsOf(pid) - before
      most = Math.max(most, more)
      const nowMs = performance.now()
      if (more > slack) beganMs ??= nowMs
      else if (beganMs !== undefined) return { most, seconds: (nowMs - beganMs) / 1_000, left: more }
      await pause(everyMs)
    }
    return { most, seconds: Number.POSITIVE_INFINITY, left: descriptorsOf(pid) - before }
  } finally {
    attacker.kill('SIGKILL')
    await ended(attacker)
  }
}

/** Files, sockets and the like that a process has open (Linux). */
function descriptorsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length
}
