import { readFileSync } from 'node:fs'
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

/** What became of slow connections. */
export type Ended = {
  /** How many lasted long enough to be seen. */
  readonly seen: number
  /** How long the longest was open on the gateway's side; infinite where some stayed. */
  readonly longestSeconds: number
}

const everyMs = 100
const looksForNone = 20
const patienceMs = 40_000

/** Where callers connect from that are no attackers. */
export const honestAddress = '127.0.0.2'

/** @throws {Error} where slowhttptest is not there and cannot be installed */
export function provideSlowhttptest(): void {
  const find = (): string | undefined => findProgram('slowhttptest')
  const wanted = { name: 'slowhttptest', debianPackage: 'slowhttptest', find }
  if (provide([wanted], 'this proof').length === 0) return
  throw new Error('slowhttptest is missing; on Debian: apt-get install slowhttptest')
}

/**
 * Open slow connections, all within a second or two, and watch until the gateway has closed them.
 *
 * slowhttptest has no option for a field of one's own. It writes cookies as they are given, so that
 * another field can follow in them.
 */
export async function attackSlowly(
  port: number,
  connections: number,
  { options, path, authorization }: SlowKind,
): Promise<Ended> {
  const lives = watchLives(port)
  const cookie = authorization === undefined ? [] : ['-j', `a=b\r\nAuthorization: ${authorization}`]
  const many = ['-c', String(connections), '-r', String(connections), '-p', '1', '-l', '120']
  const url = `http://127.0.0.1:${port}${path}`
  const attacker = startServer('slowhttptest', [...many, ...options, ...cookie, '-u', url])
  const hasEnded = (): boolean => attacker.exitCode !== null || attacker.signalCode !== null
  try {
    const giveUpMs = performance.now() + patienceMs
    let emptyLooks = 0
    for (;;) {
      await pause(everyMs)
      const { seen, open, longestSeconds } = lives.look()
      // Where each is closed at once, there are never many, and the attacker gives up soon.
      emptyLooks = open === 0 ? emptyLooks + 1 : 0
      // One that was closed between two looks is not seen.
      const hasBegun = seen >= 0.9 * connections || hasEnded()
      if (hasBegun && emptyLooks > looksForNone) return { seen, longestSeconds }
      if (performance.now() > giveUpMs) return { seen, longestSeconds: Number.POSITIVE_INFINITY }
    }
  } finally {
    attacker.kill('SIGKILL')
    await ended(attacker)
  }
}

/** How long the connections of attackers are open, on the side of the port. */
function watchLives(port: number) {
  const lives = new Map<string, { readonly fromMs: number; untilMs: number }>()
  return {
    look() {
      const nowMs = performance.now()
      const now = peersOf(port)
      for (const peer of now) {
        const life = lives.get(peer)
        if (life === undefined) lives.set(peer, { fromMs: nowMs, untilMs: nowMs })
        else life.untilMs = nowMs
      }
      const all = [...lives.values()].map(({ fromMs, untilMs }) => untilMs - fromMs)
      return { seen: lives.size, open: now.length, longestSeconds: Math.max(0, ...all) / 1_000 }
    },
  }
}

/**
 * Whom a listener on the loopback address has a connection with, by address and port.
 *
 * @see proc_net_tcp: a line is number, local and remote address in hex, state and more; the tenth is the
 *   inode, which is 0 where no process holds the socket any more
 */
function peersOf(port: number): readonly string[] {
  const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const lines = readFileSync('/proc/net/tcp', 'utf8').split('\n')
  return lines.flatMap((line) => {
    const fields = line.trim().split(/\s+/)
    const isHeld = fields[1] === local && fields[3] !== listening && fields[9] !== '0'
    const peer = fields[2] ?? ''
    return isHeld && peer.startsWith('0100007F:') ? [peer] : []
  })
}

const listening = '0A'
