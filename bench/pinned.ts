import { execFileSync, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { ended, findProgram, signalTree, startServer } from '../test/support/processes.ts'
import { until } from '../test/support/until.ts'

/** A program that runs on the contestants' core, with its output in files. */
export type Pinned = {
  readonly pid: number
  /** Where its standard output and standard error go. */
  readonly outputFile: string
  readonly errorFile: string
  /** @throws {Error} with what it said, where it does not run any more */
  assertRuns(): void
  /** SIGTERM, and SIGKILL where that is not enough. */
  stop(): Promise<void>
}

/** The core of the contestant that is measured. */
const contestantCore = 0
/** The core of everything else: load generator, upstream, Redis, PostgreSQL and this process. */
const otherCore = availableParallelism() > 1 ? 1 : 0

/** Move this process, and with it all that it starts from now on, off the contestants' core. */
export function leaveContestantCore(): string {
  if (findProgram('taskset') === undefined) return 'taskset is missing: nothing is pinned'
  execFileSync('taskset', ['-a', '-c', '-p', String(otherCore), String(process.pid)])
  return contestantCore === otherCore
    ? 'this machine has one core: contestants share it with load, upstream and Redis'
    : `contestants on core ${contestantCore}; load, upstream and Redis on core ${otherCore}`
}

/**
 * @param folder gets NAME.out and NAME.err
 * @param core `contestant` pins it to the core that is measured
 */
export function startPinned(
  folder: string,
  name: string,
  core: 'contestant' | 'other',
  command: readonly string[],
): Pinned {
  const [output, errors] = [join(folder, `${name}.out`), join(folder, `${name}.err`)]
  const pin = core === 'contestant' && findProgram('taskset') !== undefined
  const pinned = pin ? ['taskset', '-c', String(contestantCore), ...command] : command
  const redirect = 'out=$1 err=$2; shift 2; exec "$@" >"$out" 2>"$err"'
  const child = startServer('/bin/sh', ['-c', redirect, 'sh', output, errors, ...pinned])
  const { pid } = child
  if (pid === undefined) throw new Error(`${name} could not be started`)
  return {
    pid,
    outputFile: output,
    errorFile: errors,
    assertRuns() {
      if (!hasEnded(child)) return
      throw new Error(`${name} does not run: ${tailOf(errors) || tailOf(output)}`)
    },
    async stop() {
      child.kill('SIGTERM')
      await until(() => hasEnded(child), 10_000).catch(() => {
        signalTree(pid, 'SIGKILL')
      })
      await ended(child)
    },
  }
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null
}

function tailOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').slice(-2_000)
  } catch {
    // It did not get as far as to write one.
    return ''
  }
}
