import { basic } from '../../test/support/basic.ts'
import { welchT } from '../statistics.ts'
import { count, type Experiment, type Outcome } from './experiment.ts'
import { openHouse, type House } from './house.ts'
import { closedLoop, pause, percentile } from './load.ts'
import { openTimedConnection, type TimedConnection } from './timed-connection.ts'
import { actor } from './token-house.ts'

export const timing: Experiment = {
  name: 'timing',
  shows:
    'How long a refusal takes does not tell an unknown key id from a wrong secret, a revoked key or one of another kind, whether what is known of the id is at hand or has to be looked up',
  accepts: [],
  run: prove,
}

const kinds = ['unknown id', 'wrong secret', 'revoked', 'wrong kind'] as const
type Kind = (typeof kinds)[number]

const pairs = 20_000
const warmUpRounds = 1_000
/** A gateway remembers for a second that an id does not exist: within it, no id is asked twice. */
const idsToLookUp = 600
const revisitMs = 1_100
/** Rounds at once where ids are looked up: most of such a round is waiting. */
const connectionsToLookUp = 4
/** Fixed beforehand, and taken over all kinds together, so that it favours none. */
const keptShare = 0.95
const goal = 4.5

async function prove(): Promise<Outcome> {
  await using house = await openHouse({
    gateways: 1,
    classes: { standard: {} },
    limits: { unauthenticated: { requests: 10_000_000, windowSeconds: 3_600 } },
    configuration: { requests: { maxRequestsPerConnection: 10_000_000 } },
  })
  const [gateway] = house.fleet.gateways
  if (gateway === undefined) throw new Error('There is no gateway')
  const atHand = await compare(gateway.port, 1, await requestsOf(house, 1), 0)
  const toLookUp = await requestsOf(house, idsToLookUp)
  const lookedUp = await compare(gateway.port, connectionsToLookUp, toLookUp, revisitMs)
  return {
    figure: `${count(pairs)} pairs: at hand ${told(atHand)}; looked up ${told(lookedUp)}`,
    goal: `every |t| below ${goal}`,
    isMet: Math.max(atHand.worst.t, lookedUp.worst.t, atHand.control, lookedUp.control) < goal,
  }
}

type Comparison = {
  /** The pair that is furthest apart. */
  readonly worst: { readonly pair: string; readonly t: number }
  /** What this method sees where nothing is: every other sample of one kind, and the rest. */
  readonly control: number
  readonly medianMicros: number
}

function told({ worst, control, medianMicros }: Comparison): string {
  return `the largest |t| is ${worst.t.toFixed(1)} (${worst.pair}), of two halves of one kind ${control.toFixed(1)}, the median ${medianMicros.toFixed(0)} µs`
}

/** Requests of each kind, which are sent in turn. */
type Requests = Readonly<Record<Kind, readonly Buffer[]>>

/** In each round one request of each kind on one connection, in an order that is drawn anew. */
async function compare(
  port: number,
  atOnce: number,
  requests: Requests,
  revisitAfterMs: number,
): Promise<Comparison> {
  using ends = new DisposableStack()
  const free: TimedConnection[] = []
  // Only now: a gateway closes what has carried nothing for some seconds.
  for (let n = 0; n < atOnce; n++) free.push(ends.use(await openTimedConnection(port)))
  const samples = new Map<Kind, number[]>(kinds.map((kind) => [kind, []]))
  const ids = requests['unknown id'].length
  const visitedMs = new Map<number, number>()
  await closedLoop(warmUpRounds + pairs, atOnce, async (round) => {
    const place = round % ids
    const sinceMs = performance.now() - (visitedMs.get(place) ?? 0)
    if (sinceMs < revisitAfterMs) await pause(revisitAfterMs - sinceMs)
    visitedMs.set(place, performance.now())
    const connection = free.pop()
    if (connection === undefined) throw new Error('There are more rounds at once than connections')
    for (const kind of shuffled(kinds)) {
      const micros = await connection.time(requests[kind][place] ?? Buffer.alloc(0), 401)
      if (round >= warmUpRounds) samples.get(kind)?.push(micros)
    }
    free.push(connection)
  })
  return comparisonOf(samples)
}

function comparisonOf(samples: ReadonlyMap<Kind, readonly number[]>): Comparison {
  const all = [...samples.values()].flat()
  const limit = percentile(all, keptShare)
  const kept = new Map([...samples].map(([kind, each]) => [kind, each.filter((us) => us <= limit)]))
  const t = (a: Kind, b: Kind): number => Math.abs(welchT(kept.get(a) ?? [], kept.get(b) ?? []))
  const compared = kinds.flatMap((a, place) =>
    kinds.slice(place + 1).map((b) => ({ pair: `${a} and ${b}`, t: t(a, b) })),
  )
  const one = kept.get('wrong secret') ?? []
  const half = (rest: number): number[] => one.filter((_us, index) => index % 2 === rest)
  return {
    worst: compared.reduce((worst, each) => (each.t > worst.t ? each : worst)),
    control: Math.abs(welchT(half(0), half(1))),
    medianMicros: percentile(all, 0.5),
  }
}

function shuffled<Value>(values: readonly Value[]): readonly Value[] {
  const drawn = values.map((value) => [Math.random(), value] as const)
  return drawn.sort(([a], [b]) => a - b).map(([, value]) => value)
}

async function requestsOf(house: House, ids: number): Promise<Requests> {
  const made: Record<Kind, Buffer[]> = {
    'unknown id': [],
    'wrong secret': [],
    revoked: [],
    'wrong kind': [],
  }
  await closedLoop(ids, 4, async () => {
    const [wrong, revoked, other] = [
      await newKey(house, 'cloud'),
      await newKey(house, 'cloud'),
      await newKey(house, 'global'),
    ]
    await house.fleet.directory.apiKeys.revoke(revoked.id, actor)
    made['unknown id'].push(requestWith(madeUpId(), wrong.secret))
    // A secret of the right form, which is that of another key.
    made['wrong secret'].push(requestWith(wrong.id, other.secret))
    made.revoked.push(requestWith(revoked.id, revoked.secret))
    made['wrong kind'].push(requestWith(other.id, other.secret))
  })
  return made
}

type Key = { readonly id: string; readonly secret: string }

function newKey({ fleet }: House, kind: 'cloud' | 'global'): Promise<Key> {
  const { directory, userId } = fleet
  return directory.apiKeys.create({ ownerId: userId, resource: { kind } }, actor)
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'

/** Of the form that key ids have. */
function madeUpId(): string {
  const letter = (): string => alphabet.charAt(Math.floor(Math.random() * alphabet.length))
  return Array.from({ length: 16 }, letter).join('')
}

function requestWith(id: string, secret: string): Buffer {
  const head = `GET /standard/hello HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: ${basic(id, secret)}\r\n\r\n`
  return Buffer.from(head, 'latin1')
}
