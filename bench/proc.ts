import { readdirSync, readFileSync } from 'node:fs'
import { descendants } from '../test/support/processes.ts'

// What Linux tells about processes under /proc. Whatever ended in the meantime counts as nothing.

/** The processes and everything that they started, each once. */
export function familyOf(pids: readonly number[]): readonly number[] {
  return [...new Set(pids.flatMap((pid) => [pid, ...descendants(pid)]))]
}

/** Microseconds on a CPU of all threads that the processes have now, since each began. */
export function cpuMicrosOf(pids: readonly number[]): number {
  const threads = pids.flatMap((pid) =>
    entriesOf(`/proc/${pid}/task`).map((thread) => `/proc/${pid}/task/${thread}/schedstat`),
  )
  return threads.reduce((sum, file) => sum + parseSchedstat(textOf(file)), 0)
}

/** Microseconds on a CPU of the thread that a process began with: in Node, its event loop. */
export function mainThreadMicrosOf(pid: number): number {
  return parseSchedstat(textOf(`/proc/${pid}/task/${pid}/schedstat`))
}

/** Resident memory of the processes, in MB of 10^6 bytes. Pages that they share count in each. */
export function rssMbOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + parseRss(textOf(`/proc/${pid}/status`)), 0)
}

/** Microseconds that all CPUs together were not idle since the machine started. */
export function busyMicros(): number {
  return parseBusy(textOf('/proc/stat'))
}

/**
 * @param text of /proc/PID/task/TID/schedstat: nanoseconds on a CPU, nanoseconds waiting for one, turns
 * @returns microseconds on a CPU
 */
export function parseSchedstat(text: string): number {
  return Number(text.split(' ')[0]) / 1_000
}

/** @param text of /proc/PID/status */
export function parseRss(text: string): number {
  return (Number(/^VmRSS:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0) * 1_024) / 1_000_000
}

/** A tick of /proc/stat (USER_HZ) is 10 ms on every Linux. */
const tickMicros = 10_000

/**
 * @param text of /proc/stat
 * @see proc(5): user, nice, system, idle, iowait, irq, softirq, steal; guests are in the first two
 */
export function parseBusy(text: string): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = (
    /^cpu +(.*)$/m.exec(text)?.[1] ?? ''
  )
    .split(' ')
    .map(Number)
  return (user + nice + system + irq + softirq + steal) * tickMicros
}

function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    // It ended in the meantime.
    return []
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    // It ended in the meantime.
    return ''
  }
}
