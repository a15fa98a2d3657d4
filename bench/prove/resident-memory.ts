import { rssMbOf } from '../proc.ts'
import { pause, percentile } from './load.ts'

/** Resident memory of a process now, in MB of 10^6 bytes (Linux). */
function residentMb(pid: number): number {
  const megabytes = rssMbOf([pid])
  if (megabytes === 0) throw new Error(`Process ${pid} does not tell its memory`)
  return megabytes
}

const samples = 20
const intervalMs = 100

/** The median over two seconds. */
export async function steadyMb(pid: number): Promise<number> {
  const seen: number[] = []
  for (let i = 0; i < samples; i++) {
    seen.push(residentMb(pid))
    await pause(intervalMs)
  }
  return percentile(seen, 0.5)
}

/** The highest while something goes on. */
export async function peakMb(pid: number, during: () => Promise<void>): Promise<number> {
  let peak = residentMb(pid)
  const timer = setInterval(() => {
    peak = Math.max(peak, residentMb(pid))
  }, 20)
  try {
    await during()
  } finally {
    clearInterval(timer)
  }
  return Math.max(peak, residentMb(pid))
}
