import { execFile, type ChildProcess } from 'node:child_process'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { ended, startServer } from './processes.ts'
import { until } from './until.ts'

/** A record of a gateway's log. */
export type LogRecord = Readonly<Record<string, unknown>>

/** A gateway in a process of its own. */
export type GatewayProcess = {
  readonly pid: number
  readonly port: number
  readonly adminPort: number
  /** Its log; of a long one, the newest records. */
  readonly log: readonly LogRecord[]
  /** What it printed beside its log. */
  readonly printed: () => string
  /** SIGTERM, without waiting for what comes of it. */
  terminate(): void
  /** Wait until it has ended. Resolves with its exit code; null where a signal ended it. */
  exit(): Promise<number | null>
  /** SIGKILL: nothing is given back, and nothing said. */
  kill(): Promise<void>
}

/** What a gateway or one of its commands is run with. */
export type RunOptions = {
  /** Added to this process's environment. */
  readonly environment?: Readonly<Record<string, string>>
  /** Options of Node itself. */
  readonly nodeOptions?: readonly string[]
  /** Of `serve`, beside the configuration. */
  readonly serveOptions?: readonly string[]
  /** Told of each record of its log, also where there are more than are kept. */
  readonly onRecord?: (record: LogRecord) => void
}

const root = resolve(import.meta.dirname, '../..')
const program = join(root, 'bin', 'gatehouse.js')

/** Every process compiles the same sources: it is done once. */
const compileCache = { NODE_COMPILE_CACHE: join(root, '.cache', 'compiled') }
const startDeadlineMs = 30_000
const maxRecords = 50_000
const maxPrintedLength = 100_000

/**
 * Start a gateway on a configuration file and wait until it is ready.
 *
 * @throws {Error} with what it printed, where it ends or does not become ready
 */
export async function startGatewayProcess(
  configurationFile: string,
  { environment = {}, nodeOptions = [], serveOptions = [], onRecord }: RunOptions = {},
): Promise<GatewayProcess> {
  const args = [...nodeOptions, program, 'serve', '--config', configurationFile, ...serveOptions]
  const child = startServer(process.execPath, args, {
    environment: { ...compileCache, ...environment },
    readable: true,
  })
  const output = readOutput(child, onRecord)
  const listening = (): LogRecord | undefined => output.log.find(({ msg }) => msg === 'listening')
  try {
    await until(() => hasEnded(child) || listening() !== undefined, startDeadlineMs)
    const { public: open, admin } = listening() ?? {}
    if (child.pid === undefined) throw new Error('It has no process')
    const adminPort = portOf(admin)
    await until(() => isReady(adminPort), startDeadlineMs)
    return {
      pid: child.pid,
      port: portOf(open),
      adminPort,
      ...output,
      terminate: () => child.kill('SIGTERM'),
      async exit() {
        await ended(child)
        await output.whole
        return child.exitCode
      },
      kill: () => killed(child),
    }
  } catch (cause) {
    await killed(child)
    throw new Error(`The gateway did not start: ${output.printed()}`, { cause })
  }
}

type Output = {
  readonly log: readonly LogRecord[]
  readonly printed: () => string
  /** Resolves when all of it has been read. */
  readonly whole: Promise<void>
}

/** Records of the log are JSON objects, one a line; whatever else comes was printed for people. */
function readOutput({ stdout, stderr }: ChildProcess, onRecord: RunOptions['onRecord']): Output {
  if (stdout === null || stderr === null) throw new Error('The output is not read')
  const log: LogRecord[] = []
  let printed = ''
  const print = (text: string): void => {
    printed = (printed + text).slice(-maxPrintedLength)
  }
  stderr.on('data', (text: Buffer) => {
    print(text.toString())
  })
  const lines = createInterface({ input: stdout })
  lines.on('line', (line) => {
    if (line.startsWith('{')) {
      const record = JSON.parse(line) as LogRecord
      log.push(record)
      onRecord?.(record)
    } else print(`${line}\n`)
    if (log.length > maxRecords) log.shift()
  })
  const whole = new Promise<void>((done) => lines.once('close', done))
  return { log, printed: () => printed, whole }
}

function portOf(address: unknown): number {
  if (typeof address === 'object' && address !== null && 'port' in address) {
    return Number(address.port)
  }
  throw new Error('It does not listen')
}

async function isReady(adminPort: number): Promise<boolean> {
  return (await fetch(`http://127.0.0.1:${adminPort}/readyz`)).status === 200
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null
}

async function killed(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  await ended(child)
}

/** What came of a command. */
export type CommandResult = {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** Run a command of the gateway to its end, in the project's folder. */
export function runCommand(
  args: readonly string[],
  { environment = {}, nodeOptions = [] }: RunOptions = {},
): Promise<CommandResult> {
  const env = { ...process.env, ...compileCache, ...environment }
  return new Promise((done) => {
    execFile(
      process.execPath,
      [...nodeOptions, program, ...args],
      { env, cwd: root, timeout: startDeadlineMs },
      (error, stdout, stderr) => {
        const exitCode = error === null ? 0 : Number(error.code ?? -1)
        done({ exitCode, stdout, stderr })
      },
    )
  })
}
