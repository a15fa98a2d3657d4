import { cpuMicrosOf } from '../proc.ts'
import { ratioOf, resolutionOf, spreadOf } from '../statistics.ts'
import { createCaller, urlsOf, type Caller } from './caller.ts'
import { addCrowd, type Crowd, type CrowdSize } from './crowd.ts'
import { count, type Experiment, type Outcome } from './experiment.ts'
import { openHouse, type House } from './house.ts'
import { closedLoop } from './load.ts'

export const costFlatness: Experiment = {
  name: 'cost-flatness',
  shows:
    'A request takes as much of the CPU with 1,000,000 API keys in the directory as with 10, and with 10,000 organizations sending as with 10',
  accepts: [],
  run: prove,
}

const few: CrowdSize = { organizations: 10, keys: 10 }
const many: CrowdSize = { organizations: 10_000, keys: 1_000_000 }
const requestsPerWindow = 600
/** Of each gateway: Node goes on compiling for long, and none is to be ahead of the others. */
const warmUpRequests = 24_000
const firstSeenWindows = 8
const firstSeenRequests = 300
const atOnce = 50
const maxRounds = 80
/** Rounds end then, however many they were: filling the directory and warming up take some 90 s more. */
const roundsMs = 120_000
const flatGoal = 0.1

const wide = { requests: 100_000_000, windowSeconds: 3_600, concurrent: 10_000 }

/** Who sends to which gateway; keys take turns, on from window to window. */
type Contestant = {
  readonly gateway: Gateway
  readonly house: House
  readonly next: () => string
}

type Gateway = { readonly pid: number; readonly caller: Caller }

async function prove(): Promise<Outcome> {
  await using ends = new AsyncDisposableStack()
  const small = ends.use(await open(2))
  const large = ends.use(await open(1))
  const [fewKeys, manyKeys] = [await addCrowd(small, few), await addCrowd(large, many)]
  const [one, twin] = gatewaysOf(small, ends)
  const [crowded] = gatewaysOf(large, ends)
  if (one === undefined || twin === undefined || crowded === undefined)
    throw new Error('There are too few gateways')
  // Ten keys of ten organizations, as far apart as can be.
  const tenOfMany = inTurn(manyKeys, 10, many.organizations / 10)
  const contestants = {
    few: { gateway: one, house: small, next: inTurn(fewKeys, 10, 1) },
    twin: { gateway: twin, house: small, next: inTurn(fewKeys, 10, 1) },
    keys: { gateway: crowded, house: large, next: tenOfMany },
    organizations: {
      gateway: crowded,
      house: large,
      next: inTurn(manyKeys, many.organizations, 1),
    },
  }
  // The 10,000 are all known to their gateway then.
  for (const each of [contestants.few, contestants.twin, contestants.organizations])
    await micros(each, warmUpRequests)
  const seen = await rounds(contestants)
  const firstSeen = await firstSeenMicros(contestants.organizations, manyKeys)
  return outcomeOf((name) => seen.get(name) ?? [], firstSeen)
}

function open(gateways: number): Promise<House> {
  return openHouse({
    gateways,
    classes: { wide: { user: wide, organization: wide } },
    // Redis is not to fail here, however busy the machine is.
    redis: { commandTimeoutMs: 5_000 },
    // Nor is a record to be read again: how often that is depends on how often its key is used.
    directoryCache: { maxAgeSeconds: 600 },
  })
}

function gatewaysOf({ fleet }: House, ends: AsyncDisposableStack): readonly Gateway[] {
  return fleet.gateways.map((gateway) => ({
    pid: gateway.pid,
    caller: ends.use(createCaller(urlsOf([gateway]), atOnce)),
  }))
}

function inTurn({ authorization }: Crowd, keys: number, step: number): () => string {
  const values = Array.from({ length: keys }, (_, n) => authorization(n * step))
  let turn = 0
  return () => values[turn++ % keys] ?? ''
}

type Cost = { readonly gateway: number; readonly redis: number }

async function rounds<Name extends string>(contestants: Readonly<Record<Name, Contestant>>) {
  const seen = new Map<Name, Cost[]>()
  const all = Object.entries(contestants) as [Name, Contestant][]
  const beganMs = performance.now()
  for (let round = 0; round < maxRounds && performance.now() - beganMs < roundsMs; round++) {
    // Every other round backwards, so that nobody always follows the same one.
    for (const [name, each] of round % 2 === 0 ? all : all.toReversed())
      seen.set(name, [...(seen.get(name) ?? []), await micros(each, requestsPerWindow)])
  }
  return seen
}

/** @returns CPU microseconds a request of all threads of the gateway, and of Redis */
async function micros({ gateway, house, next }: Contestant, requests: number): Promise<Cost> {
  const read = () => ({
    gateway: cpuMicrosOf([gateway.pid]),
    redis: cpuMicrosOf([house.redis.pid()]),
  })
  const before = read()
  await closedLoop(requests, atOnce, async () => {
    const status = await gateway.caller.call({ path: '/wide/hello', authorization: next() })
    if (status !== 200) throw new Error(`A request was answered ${status ?? 'nothing'}`)
  })
  const after = read()
  return {
    gateway: (after.gateway - before.gateway) / requests,
    redis: (after.redis - before.redis) / requests,
  }
}

/** Keys that the gateway has to look up: beyond those that have been sent with. */
async function firstSeenMicros(contestant: Contestant, { authorization }: Crowd): Promise<number> {
  const step = Math.floor((many.keys - many.organizations) / (firstSeenWindows * firstSeenRequests))
  let key = many.organizations
  const next = (): string => authorization((key += step) - step)
  const windows: number[] = []
  for (let n = 0; n < firstSeenWindows; n++)
    windows.push((await micros({ ...contestant, next }, firstSeenRequests)).gateway)
  return spreadOf(windows).median
}

type Name = 'few' | 'twin' | 'keys' | 'organizations'

function outcomeOf(seen: (name: Name) => readonly Cost[], firstSeen: number): Outcome {
  const gateway = (name: Name) => seen(name).map((cost) => cost.gateway)
  const whole = (name: Name) => seen(name).map((cost) => cost.gateway + cost.redis)
  const ratio = (name: Name, base: Name): number => ratioOf(whole(name), whole(base)).median
  const keys = ratio('keys', 'few')
  // Of one and the same gateway.
  const organizations = ratio('organizations', 'keys')
  const blur = resolutionOf(ratioOf(whole('twin'), whole('few'))).median
  const median = (name: Name) => count(spreadOf(gateway(name)).median)
  const redis = (name: Name) => count(spreadOf(seen(name).map((cost) => cost.redis)).median)
  const costs = (name: Name) => `${median(name)} + ${redis(name)} µs`
  return {
    figure: `CPU of gateway + Redis a request: ${costs('few')} with 10 keys, ${costs('keys')} with ${count(many.keys)}, by 10 of them (${keys.toFixed(2)} times), ${costs('organizations')} by those of ${count(many.organizations)} organizations in turn (${organizations.toFixed(2)} times); A/A of two gateways ${(blur * 100).toFixed(1)} %, medians of ${seen('few').length} windows of ${requestsPerWindow} requests; by a key that is looked up first ${count(firstSeen)} µs`,
    goal: `within ${flatGoal * 100} %`,
    isMet: [keys, organizations].every((times) => Math.abs(times - 1) <= flatGoal),
  }
}
