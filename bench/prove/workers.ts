import { cpuMicrosOf, familyOf, mainThreadMicrosOf } from '../proc.ts'
import { ratioOf, spreadOf } from '../statistics.ts'
import { createCaller, urlsOf, type Caller } from './caller.ts'
import { count, type Experiment, type Outcome } from './experiment.ts'
import { openHouse } from './house.ts'
import { closedLoop } from './load.ts'
import { countedForUsers } from './redis-keys.ts'

export const workers: Experiment = {
  name: 'workers',
  shows:
    'How much more two workers can do than one process, by what each takes of the CPU for the same requests, and whether their limits stay exact',
  accepts: [],
  run: prove,
}

const cores = 2
const rounds = 12
const requestsPerWindow = 3_000
const warmUpRequests = 12_000
const atOnce = 32
const ratioGoal = 1.7
/** So many that nobody is refused: what was counted is compared with what was sent. */
const limits = { requests: 10_000_000, windowSeconds: 86_400, concurrent: 1_000 }

async function prove(): Promise<Outcome> {
  await using house = await openHouse({
    gateways: 0,
    classes: { rated: { user: limits, organization: limits } },
    redis: { commandTimeoutMs: 5_000 },
  })
  const { fleet } = house
  const alone = entrant(await fleet.start(), fleet.authorization)
  const together = entrant(await fleet.start(['--workers', '2']), fleet.authorization)
  try {
    for (const each of [alone, together]) await each.ask(warmUpRequests)
    const ofOne: Window[] = []
    const ofTwo: Window[] = []
    for (let round = 0; round < rounds; round++) {
      const order = round % 2 === 0 ? [alone, together] : [together, alone]
      // Every other round backwards, so that nobody always follows the same one.
      for (const each of order)
        (each === alone ? ofOne : ofTwo).push(await measured(each, requestsPerWindow))
    }
    const sent = 2 * (warmUpRequests + rounds * requestsPerWindow)
    return outcomeOf(ofOne, ofTwo, sent, await countedForUsers(house.redis.url))
  } finally {
    await alone.caller[Symbol.asyncDispose]()
    await together.caller[Symbol.asyncDispose]()
  }
}

/** What the processes of a gateway took for each request, in microseconds on a CPU. */
type Window = {
  /** All threads of all processes. */
  readonly all: number
  /** The event loop that had most to do. */
  readonly busiestLoop: number
}

function outcomeOf(
  ofOne: readonly Window[],
  ofTwo: readonly Window[],
  sent: number,
  counted: number,
): Outcome {
  // One process is at its end when its event loop is; two workers when a loop is, or all cores are.
  const one = ofOne.map(({ busiestLoop }) => 1_000_000 / busiestLoop)
  const two = ofTwo.map(({ all, busiestLoop }) =>
    Math.min((cores * 1_000_000) / all, 1_000_000 / busiestLoop),
  )
  const ratio = ratioOf(two, one)
  const micros = (windows: readonly Window[], what: keyof Window): string =>
    spreadOf(windows.map((window) => window[what])).median.toFixed(0)
  return {
    figure: `${ratio.median.toFixed(2)} × (${ratio.min.toFixed(2)}..${ratio.max.toFixed(2)}): one process takes ${micros(ofOne, 'all')} µs of CPU a request, ${micros(ofOne, 'busiestLoop')} of them on its event loop; two workers and their primary together ${micros(ofTwo, 'all')} µs, ${micros(ofTwo, 'busiestLoop')} on the busier loop; ${count(spreadOf(one).median)} and ${count(spreadOf(two).median)} requests/s on ${cores} cores of their own; ${count(counted)} of ${count(sent)} requests counted in Redis`,
    goal: `at least ${ratioGoal} ×, every request counted once`,
    isMet: ratio.median >= ratioGoal && counted === sent,
  }
}

type Entrant = {
  readonly caller: Caller
  readonly pids: readonly number[]
  ask(requests: number): Promise<void>
}

function entrant(
  gateway: { readonly pid: number; readonly port: number },
  authorization: string,
): Entrant {
  const caller = createCaller(urlsOf([gateway]), atOnce)
  return {
    caller,
    pids: familyOf([gateway.pid]),
    ask: (requests) =>
      closedLoop(requests, atOnce, async () => {
        const status = await caller.call({ path: '/rated/hello', authorization })
        if (status !== 200) throw new Error(`A gateway answered ${status ?? 'nothing'}`)
      }),
  }
}

async function measured({ pids, ask }: Entrant, requests: number): Promise<Window> {
  const loops = (): readonly number[] => pids.map(mainThreadMicrosOf)
  const before = { all: cpuMicrosOf(pids), loops: loops() }
  await ask(requests)
  const all = cpuMicrosOf(pids) - before.all
  const ofLoops = loops().map((micros, place) => micros - (before.loops[place] ?? 0))
  return { all: all / requests, busiestLoop: Math.max(...ofLoops) / requests }
}
