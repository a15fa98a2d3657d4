import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process'
import { accessSync, constants, readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { delimiter, join } from 'node:path'

/** The path of a program on PATH or in one of the folders, or undefined. */
export function findProgram(name: string, folders: readonly string[] = []): string | undefined {
  const searched = [...(process.env['PATH'] ?? '').split(delimiter), ...folders]
  return searched.map((folder) => join(folder, name)).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    // Not there, or not a program.
    return false
  }
}

/** A port on loopback that nothing listens on, below 22000: a Redis Cluster bus is 10000 above. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 11_000 + Math.floor(Math.random() * 11_000)
    if (!(await answers(port))) return port
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => {
      resolve(false)
    })
  })
}

/** Who runs a program: numeric user and group. */
export type Identity = { readonly uid: number; readonly gid: number }

/** How a server is started. */
export type StartOptions = {
  /** Run as somebody else; only root can. */
  readonly identity?: Identity | undefined
  /** Added to this process's environment. */
  readonly environment?: Readonly<Record<string, string>>
  /** Whether its output can be read from the child process; otherwise it goes nowhere. */
  readonly readable?: boolean
}

/** Start a server that dies with this process, even when this process is killed. */
export function startServer(
  program: string,
  args: readonly string[],
  { identity, environment = {}, readable = false }: StartOptions = {},
): ChildProcess {
  const output = readable ? 'pipe' : 'ignore'
  const options = {
    stdio: ['ignore', output, output] satisfies StdioOptions,
    env: { ...process.env, ...environment },
  }
  const wrapper = findProgram('setpriv')
  if (wrapper === undefined) return spawn(program, args, { ...options, ...identity })
  const { uid, gid } = identity ?? {}
  const who = uid === undefined ? [] : [`--reuid=${uid}`, `--regid=${gid ?? uid}`, '--clear-groups']
  // It becomes the program, so signals to the child process reach the server itself.
  return spawn(wrapper, ['--pdeathsig=KILL', ...who, '--', program, ...args], options)
}

/** Send a signal to a process and all that it started. */
export function signalTree(pid: number, signal: NodeJS.Signals): void {
  for (const each of [pid, ...descendants(pid)]) {
    try {
      process.kill(each, signal)
    } catch {
      // It ended in the meantime.
    }
  }
}

/** The processes that a process started, and those that they started. */
export function descendants(pid: number): number[] {
  const children = readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((each) => parentOf(each) === pid)
  return children.flatMap((child) => [child, ...descendants(child)])
}

function parentOf(pid: number): number | undefined {
  try {
    // The name in parentheses may hold spaces; the parent's id is the second field behind it.
    return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[1])
  } catch {
    // It ended in the meantime.
    return undefined
  }
}

/** Resolves when the process has ended. */
export function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    child.once('exit', () => {
      resolve()
    })
  })
}
