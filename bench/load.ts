import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { z } from 'zod'

/** What wrk saw from its start to its end. */
export type LoadResult = z.output<typeof resultSchema>

const resultSchema = z.object({
  requests: z.int(),
  durationMicros: z.int().positive(),
  p50Micros: z.number(),
  p99Micros: z.number(),
  /** Responses with a status of 400 or more. */
  badStatus: z.int(),
  brokenConnections: z.int(),
})

/** What is asked for, by whom, and for how long. */
export type Load = {
  readonly port: number
  readonly path: string
  /** A file with one Basic credential a line, used in turn. */
  readonly credentialsFile: string
  readonly connections: number
  readonly durationMs: number
}

const script = join(import.meta.dirname, 'wrk.lua')

/** Load a server by wrk: one thread, requests back to back on each connection. */
export async function runLoad(load: Load): Promise<LoadResult> {
  // wrk takes whole seconds.
  const seconds = Math.ceil(load.durationMs / 1_000)
  const settings = ['-t1', `-c${load.connections}`, `-d${seconds}s`, '--timeout', '5s']
  const url = `http://127.0.0.1:${load.port}`
  const child = spawn(
    'wrk',
    [...settings, '-s', script, url, '--', load.credentialsFile, load.path],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: seconds * 1_000 + 10_000,
    },
  )
  let output = ''
  child.stdout.on('data', (text: Buffer) => {
    output += text.toString()
  })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (code !== 0) throw new Error(`wrk ended with ${code ?? 'a signal'}: ${output}`)
  return parseLoadResult(output)
}

/** @throws {Error} where wrk did not get as far as its summary */
export function parseLoadResult(output: string): LoadResult {
  const line = output.split('\n').find((each) => each.startsWith('{"requests"'))
  if (line === undefined) throw new Error(`wrk printed no summary: ${output}`)
  return resultSchema.parse(JSON.parse(line))
}
