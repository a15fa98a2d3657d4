import { createCaller, urlsOf } from './caller.ts'
import { count, type Experiment, type Outcome } from './experiment.ts'
import { openHouse } from './house.ts'
import { closedLoop } from './load.ts'

export const quotaExactness: Experiment = {
  name: 'quota-exactness',
  shows:
    'Several gateways admit exactly what a monthly quota of an organization allows, whoever of its users asks, and the rest is answered 402',
  accepts: [],
  run: prove,
}

const gateways = 4
const users = 10
const limit = 1_000
const attempts = 20_000
const rounds = 3
const connectionsPerGateway = 16

async function prove(): Promise<Outcome> {
  const names = Array.from({ length: rounds }, (_, round) => `round-${round}`)
  const quota = { scope: 'organization', limit, period: 'month' }
  await using house = await openHouse({
    gateways,
    classes: Object.fromEntries(names.map((name) => [name, { quotas: [name] }])),
    limits: { quotas: Object.fromEntries(names.map((name) => [name, quota])) },
    // Redis is not to fail here, however busy the machine is.
    redis: { commandTimeoutMs: 5_000 },
  })
  const callers = await house.addUsers(users)
  const admitted: number[] = []
  let others = 0
  for (const name of names) {
    const before = arrivalsIn(house.upstream.arrivals)
    let refused = 0
    await using caller = createCaller(urlsOf(house.fleet.gateways), connectionsPerGateway)
    await closedLoop(attempts, gateways * connectionsPerGateway, async (index) => {
      const { authorization = '' } = callers[index % callers.length] ?? {}
      if ((await caller.call({ path: `/${name}/hello`, authorization })) === 402) refused += 1
    })
    const reached = arrivalsIn(house.upstream.arrivals) - before
    admitted.push(reached)
    others += attempts - reached - refused
  }
  return {
    figure: `${gateways} gateways, ${users} users, ${count(attempts)} attempts in each of ${rounds} rounds: ${admitted.map(count).join(', ')} reached the upstream, ${count(others)} neither admitted nor answered 402`,
    goal: `exactly ${count(limit)} each and 0`,
    isMet: admitted.every((each) => each === limit) && others === 0,
  }
}

function arrivalsIn(arrivals: ReadonlyMap<string, number>): number {
  return [...arrivals.values()].reduce((sum, each) => sum + each, 0)
}
