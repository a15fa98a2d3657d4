import { until } from '../../test/support/until.ts'
import { createCaller, urlsOf } from './caller.ts'
import { count, type Experiment, type Outcome } from './experiment.ts'
import { openHouse } from './house.ts'
import { pause, percentile } from './load.ts'
import { areAll } from './readiness.ts'
import { failuresIn, requestsIn, steadyLoad } from './steady-load.ts'

export const redisDown: Experiment = {
  name: 'redis-down',
  shows:
    'Redis is killed under load and comes back empty: nobody is answered 5xx, each gateway admits its share of the limit meanwhile, and the count is exact again at once',
  accepts: [],
  run: prove,
}

const gateways = 4
const perSecond = 300
const limit = 1_000
const warmUpMs = 15_000
const beforeMs = 2_000
const outageMs = 10_000
const afterMs = 6_000
const returnGoalMs = 1_000
const addedGoalMs = 60

/** No window resets meanwhile, so what is counted for a user is what one window admitted. */
const user = { requests: limit, windowSeconds: 3_600, concurrent: 1_000 }

async function prove(): Promise<Outcome> {
  await using house = await openHouse({ gateways, classes: { rated: { user }, open: {} } })
  const { fleet, upstream, redis } = house
  const [outageUser, returnUser] = await house.addUsers(2)
  if (outageUser === undefined || returnUser === undefined) throw new Error('There are no users')
  await using caller = createCaller(urlsOf(fleet.gateways), 64)
  const spare = { path: '/open/hello', authorization: fleet.authorization }
  const rated = (authorization: string) => ({ path: '/rated/hello', authorization })

  const load = steadyLoad(caller, perSecond, spare)
  await pause(warmUpMs)
  const before = load.phase(rated(outageUser.authorization))
  await pause(beforeMs)
  const outage = load.phase(rated(outageUser.authorization))
  await redis.kill()
  await pause(outageMs)
  const returning = load.phase(spare)
  await redis.restart()
  const returnedMs = performance.now()
  await until(() => areAll('up', fleet.gateways))
  const backMs = performance.now() - returnedMs
  const after = load.phase(rated(returnUser.authorization))
  await pause(afterMs)
  await load.stop()

  const phases = [before, outage, returning, after]
  const failures = failuresIn(phases)
  const admitted = upstream.arrivals.get(outageUser.id) ?? 0
  const bound = limit + gateways * Math.ceil(limit / gateways)
  const admittedAfter = upstream.arrivals.get(returnUser.id) ?? 0
  const usualMs = percentile(before.latenciesMs, 0.99)
  const outageP99Ms = percentile(outage.latenciesMs, 0.99)
  return {
    figure: `Redis away for ${outageMs / 1_000} s at ${perSecond}/s: ${failures} of ${count(requestsIn(phases))} requests failed, ${count(admitted)} of a window's ${count(limit)} admitted by ${gateways} gateways, p99 ${outageP99Ms.toFixed(1)} ms, before ${usualMs.toFixed(1)}; shared again ${count(backMs)} ms after its return, then ${count(admittedAfter)} of ${count(requestsIn([after]))} admitted`,
    goal: `0 failed, at most ${count(bound)}, p99 at most ${addedGoalMs} ms more, back within ${count(returnGoalMs)} ms, exactly ${count(limit)}`,
    isMet:
      failures === 0 &&
      admitted <= bound &&
      outageP99Ms - usualMs <= addedGoalMs &&
      backMs <= returnGoalMs &&
      admittedAfter === limit,
  }
}
