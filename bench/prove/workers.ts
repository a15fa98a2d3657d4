import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { GatewayProcess } from '../../test/support/gateway-process.ts'
import { runLoad } from '../load.ts'
import { providePeers } from '../peers.ts'
import { cpuMicrosOf, familyOf, mainThreadMicrosOf } from '../proc.ts'
import { ratioOf, spreadOf } from '../statistics.ts'
import { startUpstream } from '../upstream.ts'
import { createCaller } from './caller.ts'
import { count, type Experiment, type Outcome } from './experiment.ts'
import { openHouse } from './house.ts'
import { closedLoop } from './load.ts'

export const workers: Experiment = {
  name: 'workers',
  shows:
    'How much more two workers can do than one process, by what each takes of the CPU for the same requests, and whether their limits stay exact',
  accepts: [],
  run: prove,
}

const cores = 2
const rounds = 8
const windowMs = 3_000
/** Node goes on compiling for tens of thousands of requests, of each worker. */
const warmUpMs = 20_000
/** Of each event loop, so that both have as much to do at a time. */
const connectionsEach = 32
const ratioGoal = 1.7
const wide = { requests: 10_000_000, windowSeconds: 86_400, concurrent: 1_000 }
const limit = 1_000
const tight = { requests: limit, windowSeconds: 86_400, concurrent: 1_000 }

async function prove(): Promise<Outcome> {
  providePeers()
  await using ends = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-workers-'))
  ends.defer(() => rm(folder, { recursive: true, force: true }))
  const nginx = ends.adopt(await startUpstream(folder), ({ server }) => server.stop())
  const paths = { '/hello': { get: {} } }
  const of = { paths, upstreamUrl: nginx.url }
  const house = ends.use(
    await openHouse({
      gateways: 0,
      classes: { wide: { user: wide, organization: wide }, tight: { user: tight } },
      redis: { commandTimeoutMs: 5_000 },
      groups: () => [
        { name: 'free', mount: '/free', limitClass: 'wide', ...of },
        { name: 'rated', mount: '/rated', limitClass: 'tight', ...of },
      ],
    }),
  )
  const { fleet } = house
  const credentialsFile = join(folder, 'credentials')
  await writeFile(credentialsFile, `${fleet.authorization.replace('Basic ', '')}\n`)
  const one = entrant(await fleet.start(), 1, credentialsFile)
  const two = entrant(await fleet.start(['--workers', '2']), 2, credentialsFile)
  for (const each of [one, two]) await each.ask(warmUpMs)
  const windows = new Map<Entrant, Window[]>([
    [one, []],
    [two, []],
  ])
  for (let round = 0; round < rounds; round++) {
    // Every other round backwards, so that nobody always follows the same one.
    for (const each of round % 2 === 0 ? [one, two] : [two, one])
      windows.get(each)?.push(await measured(each))
  }
  const admitted = await admittedOf(3 * limit, two.port, fleet.authorization)
  return outcomeOf(windows.get(one) ?? [], windows.get(two) ?? [], admitted)
}

/** What the processes of a gateway took for each request, in microseconds on a CPU. */
type Window = {
  /** All threads of all processes. */
  readonly all: number
  /** The event loop that had most to do. */
  readonly busiestLoop: number
  /** The process that was started, which serves nobody where it has workers. */
  readonly primary: number
}

function outcomeOf(ofOne: readonly Window[], ofTwo: readonly Window[], admitted: number): Outcome {
  // One process is at its end when its event loop is; two workers when a loop is, or all cores are.
  const one = ofOne.map(({ busiestLoop }) => 1_000_000 / busiestLoop)
  const two = ofTwo.map(({ all, busiestLoop }) =>
    Math.min((cores * 1_000_000) / all, 1_000_000 / busiestLoop),
  )
  const ratio = ratioOf(two, one)
  const micros = (windows: readonly Window[], what: keyof Window): string =>
    spreadOf(windows.map((window) => window[what])).median.toFixed(0)
  return {
    figure: `${ratio.median.toFixed(2)} × (${ratio.min.toFixed(2)}..${ratio.max.toFixed(2)}): one process takes ${micros(ofOne, 'all')} µs of CPU a request, ${micros(ofOne, 'busiestLoop')} of them on its event loop; two workers and their primary together ${micros(ofTwo, 'all')} µs, ${micros(ofTwo, 'busiestLoop')} on the busier loop and ${micros(ofTwo, 'primary')} in the primary; that is ${count(spreadOf(one).median)} and ${count(spreadOf(two).median)} requests/s on ${cores} cores of their own; of ${count(3 * limit)} requests with a limit of ${count(limit)} two workers admitted ${count(admitted)}`,
    goal: `at least ${ratioGoal} ×, exactly ${count(limit)}`,
    isMet: ratio.median >= ratioGoal && admitted === limit,
  }
}

type Entrant = {
  readonly port: number
  /** The process that was started, and then its workers, where it has any. */
  readonly pids: readonly number[]
  /** @returns how many were answered */
  ask(durationMs: number): Promise<number>
}

function entrant({ pid, port }: GatewayProcess, loops: number, credentialsFile: string): Entrant {
  return {
    port,
    pids: familyOf([pid]),
    async ask(durationMs) {
      const connections = loops * connectionsEach
      const load = { port, path: '/free/hello', credentialsFile, connections, durationMs }
      const result = await runLoad(load)
      if (result.badStatus + result.brokenConnections === 0) return result.requests
      throw new Error(`Not all were answered: ${JSON.stringify(result)}`)
    },
  }
}

async function measured(entrant: Entrant): Promise<Window> {
  const { pids } = entrant
  const loops = (): readonly number[] => pids.map(mainThreadMicrosOf)
  const [primary = 0] = pids
  const before = { all: cpuMicrosOf(pids), primary: cpuMicrosOf([primary]), loops: loops() }
  const requests = await entrant.ask(windowMs)
  const ofLoops = loops().map((micros, place) => micros - (before.loops[place] ?? 0))
  return {
    all: (cpuMicrosOf(pids) - before.all) / requests,
    busiestLoop: Math.max(...ofLoops) / requests,
    primary: (cpuMicrosOf([primary]) - before.primary) / requests,
  }
}

async function admittedOf(times: number, port: number, authorization: string): Promise<number> {
  await using caller = createCaller([`http://127.0.0.1:${port}`], connectionsEach)
  let admitted = 0
  await closedLoop(times, connectionsEach, async () => {
    if ((await caller.call({ path: '/rated/hello', authorization })) === 200) admitted += 1
  })
  return admitted
}
