import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ended, findProgram, signalTree, startServer } from './processes.ts'
import { redisProgram } from './redis.ts'
import { until } from './until.ts'

/** A Redis behind a link that can be cut: packets vanish both ways, and nobody is told. */
export type PartitionedRedis = AsyncDisposable & {
  readonly url: string
  readonly cut: () => void
  readonly mend: () => void
}

const port = 6_379

/**
 * Start a Redis in a network namespace of its own, with a pair of virtual devices as its only link.
 *
 * @throws {Error} where namespaces cannot be made; it says what that takes
 */
export async function startPartitionedRedis(): Promise<PartitionedRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-redis-'))
  const unshare = findProgram('unshare') ?? missing('unshare (util-linux)')
  const args = ['--port', String(port), '--bind', '*', '--protected-mode', 'no', '--dir', folder]
  const server = startServer(unshare, [
    ...['--net', '--', redisProgram(), ...args],
    ...['--save', '', '--appendonly', 'no'],
  ])
  const pid = server.pid ?? missing('a process')
  const stop = async (): Promise<void> => {
    // The devices go with the namespace, and that with its last process.
    signalTree(pid, 'SIGKILL')
    await ended(server)
    await rm(folder, { recursive: true, force: true })
  }
  try {
    const { here, address } = await link(pid)
    const there = (...command: readonly string[]): void => {
      run('nsenter', [`--net=/proc/${pid}/ns/net`, ipProgram(), ...command])
    }
    await until(() => accepts(address))
    return {
      url: `redis://${address}:${port}`,
      // The far end: without its own, this side would send elsewhere, or say that there is no way.
      cut: () => {
        there('link', 'set', `${here}p`, 'down')
      },
      mend: () => {
        there('link', 'set', `${here}p`, 'up')
      },
      [Symbol.asyncDispose]: stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Connect this namespace with that of a process, by addresses that are for tests (RFC 2544). */
async function link(pid: number): Promise<{ readonly here: string; readonly address: string }> {
  const here = `gh${pid}`
  const [third, fourth] = [(pid >> 6) & 0xff, (pid & 0x3f) << 2]
  const addressOf = (end: 1 | 2): string => `198.18.${third}.${fourth + end}`
  // It is in its own namespace as soon as it is another program than the one that made it.
  await until(
    () => run('readlink', [`/proc/${pid}/ns/net`]) !== run('readlink', ['/proc/self/ns/net']),
  )
  ip('link', 'add', here, 'type', 'veth', 'peer', 'name', `${here}p`, 'netns', String(pid))
  ip('addr', 'add', `${addressOf(1)}/30`, 'dev', here)
  ip('link', 'set', here, 'up')
  const there = [`--net=/proc/${pid}/ns/net`, ipProgram()]
  run('nsenter', [...there, 'addr', 'add', `${addressOf(2)}/30`, 'dev', `${here}p`])
  run('nsenter', [...there, 'link', 'set', `${here}p`, 'up'])
  return { here, address: addressOf(2) }
}

function ip(...args: readonly string[]): void {
  run(ipProgram(), args)
}

function ipProgram(): string {
  const found = process.env['GATEHOUSE_TEST_IP'] ?? findProgram('ip', ['/usr/sbin', '/sbin'])
  return found ?? missing('ip (Debian: iproute2)')
}

function run(program: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8' })
  if (status === 0) return stdout
  const said = error?.message ?? stderr.trim()
  throw new Error(`${[program, ...args].join(' ')}: ${said}. ${needs}`)
}

const needs =
  'A partition takes network namespaces and virtual devices: Linux, root with CAP_SYS_ADMIN and CAP_NET_ADMIN (in a container: --cap-add SYS_ADMIN --cap-add NET_ADMIN), iproute2 and util-linux.'

function missing(what: string): never {
  throw new Error(`There is no ${what}. ${needs}`)
}

function accepts(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, timeout: 500 })
    const answer = (isThere: boolean): void => {
      socket.destroy()
      resolve(isThere)
    }
    socket.once('connect', () => {
      answer(true)
    })
    for (const event of ['error', 'timeout'] as const)
      socket.once(event, () => {
        answer(false)
      })
  })
}
