import cluster, { type Worker } from 'node:cluster'
import type { AddressInfo } from 'node:net'
import type { Configuration } from './config/schema.ts'
import { adminServer, createAdmin, type PartHealth, type Readiness } from './gateway/admin.ts'
import type { Log } from './telemetry/log.ts'
import {
  createMetrics,
  mergedMetrics,
  metricsContentType,
  type MetricValues,
} from './telemetry/metrics.ts'
import type { Question, Told } from './worker.ts'

type Fleet = {
  readonly log: Pick<Log, 'info' | 'error' | 'relay'>
  /** Called when every worker has ended after a signal. */
  readonly onStopped: () => void
}

/** How long a worker has to answer; one that does not is not ready, and missing in the metrics. */
const answerMs = 1_000

/** Pauses before a worker that died is replaced: doubled while it dies young, from the first on again once it has lived. */
const firstPauseMs = 100
const longestPauseMs = 10_000
const longLifeMs = 30_000

/**
 * Refuse what several processes cannot share.
 *
 * @throws {Error} for the operator
 */
export function refuseUnsharable({ directory }: Configuration): void {
  if (directory.url !== undefined && directory.url !== '') return
  throw new Error(
    'An embedded directory belongs to one process: give directory.url, or run without --workers',
  )
}

/** @returns what works otherwise with several processes than the configuration seems to say */
export function unsharedWarning({ redis }: Configuration, workers: number): string | undefined {
  const { url, sentinel, cluster: nodes } = redis
  if ((url !== undefined && url !== '') || sentinel !== undefined || nodes !== undefined) {
    return undefined
  }
  return `redis: there is none, so each of the ${workers} workers keeps its limits by itself: together they admit up to ${workers} times as much`
}

/** The configuration of one worker: while Redis is away each is one of so many that share the limits. */
export function asOneOf(workers: number, configuration: Configuration): Configuration {
  const { limits } = configuration
  return { ...configuration, limits: { ...limits, replicas: limits.replicas * workers } }
}

/**
 * Run workers, which share the public listener, and replace those that die. The admin listener is
 * here: it is ready when every worker is, and its metrics are those of all of them.
 *
 * @throws {Error} where a worker ends before it listens
 */
export async function superviseWorkers(
  count: number,
  { listen }: Configuration,
  { log, onStopped }: Fleet,
): Promise<void> {
  const workers = new Set<Worker>()
  let isStopping = false
  let deaths = 0
  let pauseMs = firstPauseMs
  // What they write comes through here: lines of several writers of one pipe would be mixed up.
  cluster.setupPrimary({ stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })

  function start(): Promise<AddressInfo> {
    const worker = cluster.fork()
    const startedAt = performance.now()
    workers.add(worker)
    relayLines(worker, log.relay)
    return new Promise((resolve, reject) => {
      worker.on('message', (told: Told) => {
        if (told.tell !== 'listening') return
        log.info({ pid: worker.process.pid }, 'worker listening')
        resolve({ address: told.host, port: told.port, family: '' })
      })
      worker.once('exit', (code, signal) => {
        workers.delete(worker)
        reject(new Error('A worker ended before it listened'))
        if (isStopping) {
          if (workers.size === 0) onStopped()
        } else if (isStarted) {
          if (performance.now() - startedAt > longLifeMs) pauseMs = firstPauseMs
          replace({ pid: worker.process.pid, code, signal })
        }
      })
    })
  }

  function replace(died: object): void {
    deaths += 1
    log.error({ ...died, restartMs: pauseMs }, 'a worker died')
    setTimeout(() => {
      if (isStopping) return
      // One that dies young is replaced by its own end.
      start().catch(() => undefined)
    }, pauseMs)
    pauseMs = Math.min(pauseMs * 2, longestPauseMs)
  }

  function stop(signal: NodeJS.Signals): void {
    if (isStopping) return
    isStopping = true
    log.info({ signal, workers: workers.size }, 'draining')
    for (const worker of workers) worker.process.kill('SIGTERM')
    if (workers.size === 0) onStopped()
  }

  let isStarted = false
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  process.on('SIGHUP', () => {
    for (const worker of workers) worker.process.kill('SIGHUP')
  })
  const [open] = await Promise.all(Array.from({ length: count }, start)).catch((error: unknown) => {
    isStopping = true
    for (const worker of workers) worker.process.kill('SIGTERM')
    throw error
  })
  isStarted = true
  const own = createMetrics()
  own.gauge({
    name: 'gatehouse_workers',
    help: 'Worker processes that run.',
    read: () => [{ value: workers.size }],
  })
  own.counter({
    name: 'gatehouse_worker_deaths_total',
    help: 'Worker processes that ended without being told to.',
    read: () => [{ value: deaths }],
  })
  const admin = createAdmin({
    readiness: async () => {
      const told = await askAll(workers, 'readiness')
      const parts = told.flatMap((each) => (each.tell === 'readiness' ? [each.readiness] : []))
      return together(parts, !isStopping && parts.length === count)
    },
    metrics: {
      text: async () => {
        const told = await askAll(workers, 'metrics')
        const values = told.flatMap((each) => (each.tell === 'metrics' ? [each.values] : []))
        return mergedMetrics([...values, await own.values()] satisfies MetricValues[])
      },
      contentType: metricsContentType,
    },
  })
  const address = await adminServer(admin).listen(listen.admin)
  log.info({ public: open, admin: address, workers: count }, 'listening')
}

/** Whole lines pass as the bytes that they came as: reading them would cost the worker's share of a core. */
function relayLines({ process: { stdout } }: Worker, relay: (lines: Buffer) => void): void {
  let rest: Buffer = Buffer.alloc(0)
  stdout?.on('data', (bytes: Buffer) => {
    const end = bytes.lastIndexOf(newline) + 1
    if (end === 0) {
      rest = Buffer.concat([rest, bytes])
      return
    }
    if (rest.length > 0) relay(rest)
    relay(bytes.subarray(0, end))
    rest = bytes.subarray(end)
  })
}

const newline = 0x0a

let questions = 0

function askAll(workers: ReadonlySet<Worker>, ask: Question['ask']): Promise<readonly Told[]> {
  return Promise.all([...workers].map((worker) => answerOf(worker, ask))).then((told) =>
    told.flat(),
  )
}

/** @returns nothing from a worker that does not answer in time, or ends */
function answerOf(worker: Worker, ask: Question['ask']): Promise<readonly Told[]> {
  questions += 1
  const id = questions
  return new Promise((resolve) => {
    const finish = (told: readonly Told[]): void => {
      clearTimeout(timer)
      worker.off('message', onMessage)
      resolve(told)
    }
    const onMessage = (told: Told): void => {
      if (told.tell !== 'listening' && told.id === id) finish([told])
    }
    const timer = setTimeout(finish, answerMs, [])
    worker.on('message', onMessage)
    if (!worker.isConnected()) finish([])
    else
      worker.send({ ask, id } satisfies Question, (error: Error | null) => {
        if (error !== null) finish([])
      })
  })
}

function together(workers: readonly Readiness[], areAll: boolean): Readiness {
  const parts: Record<string, PartHealth> = {}
  for (const [name, health] of workers.flatMap((each) => Object.entries(each.parts))) {
    const known = parts[name]
    if (known === undefined || rank[health.state] > rank[known.state]) parts[name] = health
  }
  return {
    isAccepting: areAll && workers.every(({ isAccepting }) => isAccepting),
    inFlight: workers.reduce((sum, { inFlight }) => sum + inFlight, 0),
    parts,
  }
}

/** Of several workers the worst is told. */
const rank = { up: 0, degraded: 1, down: 2 } as const
