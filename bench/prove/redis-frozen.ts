import { until } from '../../test/support/until.ts'
import { createCaller, urlsOf, type Call } from './caller.ts'
import { count, type Experiment, type Outcome } from './experiment.ts'
import { openHouse, type House } from './house.ts'
import { pause, percentile } from './load.ts'
import { areAll, redisState } from './readiness.ts'
import { failuresIn, requestsIn, steadyLoad } from './steady-load.ts'

export const redisFrozen: Experiment = {
  name: 'redis-frozen',
  shows:
    'Redis hangs under load, with its connections open: no request waits for it much longer than its deadline, each gateway gives it up after five calls at most, and nobody is answered 5xx',
  accepts: [],
  run: prove,
}

const gateways = 4
const perSecond = 300
const phaseMs = 8_000
const waitGoalMs = 100
const asksGoal = 5

const limits = { requests: 1_000_000, windowSeconds: 3_600, concurrent: 1_000 }

async function prove(): Promise<Outcome> {
  const classes = { wide: { user: limits, organization: limits } }
  await using house = await openHouse({ gateways, classes })
  const { fleet, redis } = house
  const call = { path: '/wide/hello', authorization: fleet.authorization }
  await using caller = createCaller(urlsOf(fleet.gateways), 64)
  const load = steadyLoad(caller, perSecond, call)
  await pause(phaseMs / 4)
  const before = load.phase(call)
  await pause(phaseMs)
  const frozen = load.phase(call)
  redis.freeze()
  await pause(phaseMs)
  redis.thaw()
  const after = load.phase(call)
  await until(() => areAll('up', fleet.gateways))
  await load.stop()
  const asks = await asksUntilGivenUp(house, call)

  const phases = [before, frozen, after]
  const failures = failuresIn(phases)
  const usualMs = percentile(before.latenciesMs, 1)
  const longestMs = percentile(frozen.latenciesMs, 1)
  return {
    figure: `Redis stopped for ${phaseMs / 1_000} s at ${perSecond}/s: the longest request took ${longestMs.toFixed(0)} ms, without that ${usualMs.toFixed(0)} ms (p99 ${percentile(frozen.latenciesMs, 0.99).toFixed(0)} and ${percentile(before.latenciesMs, 0.99).toFixed(0)} ms); ${asks} requests one by one until a gateway gave it up; ${failures} of ${count(requestsIn(phases))} requests failed`,
    goal: `at most ${waitGoalMs} ms longer, at most ${asksGoal} requests, 0 failed`,
    isMet: longestMs - usualMs <= waitGoalMs && asks <= asksGoal && failures === 0,
  }
}

/** One request after the other to each gateway. @returns the most that any of them waited with */
async function asksUntilGivenUp({ fleet, redis }: House, call: Call): Promise<number> {
  redis.freeze()
  try {
    const asks = await Promise.all(
      fleet.gateways.map(async (gateway) => {
        await using caller = createCaller(urlsOf([gateway]), 1)
        let asked = 0
        do {
          await caller.call(call)
          asked += 1
        } while ((await redisState(gateway)) === 'up')
        return asked
      }),
    )
    return Math.max(...asks)
  } finally {
    redis.thaw()
  }
}
