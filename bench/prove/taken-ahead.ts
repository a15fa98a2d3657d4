import { costOf, median, type Cost } from './admission-cost.ts'
import { count, type Experiment, type Outcome } from './experiment.ts'
import { openHouse } from './house.ts'

export const takenAhead: Experiment = {
  name: 'taken-ahead',
  shows: 'What a request costs Redis and the gateway where shares of its limits are taken ahead',
  accepts: [],
  run: prove,
}

const requests = 20_000
const warmUp = 5_000
const rounds = 3
const connections = 64
const goalPart = 0.3

const rate = { requests: 10_000_000, windowSeconds: 3_600 }
const ahead = (share: number) => ({ ...rate, tokenLease: { share } })

/** The limits of user and organization alike; slots would be taken one by one. */
const classes = {
  'one-by-one': { user: rate, organization: rate },
  'ahead-10': { user: ahead(10), organization: ahead(10) },
  'ahead-100': { user: ahead(100), organization: ahead(100) },
  'ahead-1000': { user: ahead(1_000), organization: ahead(1_000) },
}
type Name = keyof typeof classes
const names: readonly Name[] = ['one-by-one', 'ahead-10', 'ahead-100', 'ahead-1000']

async function prove(): Promise<Outcome> {
  await using house = await openHouse({
    gateways: 1,
    classes,
    // Redis is not to fail here, however busy the machine is.
    redis: { commandTimeoutMs: 5_000 },
  })
  for (const name of names) await costOf(house, name, warmUp)
  const costs = new Map<Name, Cost[]>(names.map((name) => [name, []]))
  // Turn about, so that what changes on the machine meets all alike.
  for (let round = 0; round < rounds; round++)
    for (const name of names) costs.get(name)?.push(await costOf(house, name, requests))
  const of = (name: Name): Cost => median(costs.get(name) ?? [])
  const told = names.map((name) => {
    const { redis, gateway } = of(name)
    return `${name} ${redis.toFixed(1)} and ${gateway.toFixed(0)}`
  })
  const part = of('ahead-1000').redis / of('one-by-one').redis
  return {
    figure: `CPU µs of Redis and of the gateway a request: ${told.join(', ')}; ${count(connections)} at once`,
    goal: `Redis, with shares of 1,000, at most ${goalPart} of what it takes one by one`,
    isMet: part <= goalPart,
  }
}
