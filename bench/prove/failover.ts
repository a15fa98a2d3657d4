import { startSentinelSetup } from '../../test/support/redis-topologies.ts'
import { until } from '../../test/support/until.ts'
import { createCaller, urlsOf } from './caller.ts'
import { count, type Experiment, type Outcome } from './experiment.ts'
import { openHouse } from './house.ts'
import { pause } from './load.ts'
import { areAll } from './readiness.ts'
import { failuresIn, requestsIn, steadyLoad } from './steady-load.ts'

export const failover: Experiment = {
  name: 'failover',
  shows:
    'A primary that sentinels watch is killed under load: limits are shared again at its replica, nobody is answered 5xx, and at most one more window is admitted',
  accepts: [],
  run: prove,
}

const gateways = 4
const perSecond = 300
const limit = 1_000
const warmUpMs = 10_000
const afterMs = 5_000
const backGoalMs = 5_000

async function prove(): Promise<Outcome> {
  const setup = await startSentinelSetup()
  try {
    const nodes = setup.sentinels.map(({ host, port }) => ({ host, port }))
    const user = { requests: limit, windowSeconds: 3_600, concurrent: 1_000 }
    await using house = await openHouse({
      gateways,
      classes: { rated: { user }, open: {} },
      redis: { url: '', sentinel: { primary: setup.name, nodes } },
    })
    const { fleet, upstream } = house
    const [asking] = await house.addUsers(1)
    if (asking === undefined) throw new Error('There is no user')
    await using caller = createCaller(urlsOf(fleet.gateways), 64)
    const load = steadyLoad(caller, perSecond, {
      path: '/open/hello',
      authorization: fleet.authorization,
    })
    await pause(warmUpMs)
    const phase = load.phase({ path: '/rated/hello', authorization: asking.authorization })
    await pause(1_000)
    await setup.primary.kill()
    const killedMs = performance.now()
    await until(() => areAll('degraded', fleet.gateways))
    await until(() => areAll('up', fleet.gateways), 30_000)
    const backMs = performance.now() - killedMs
    await pause(afterMs)
    await load.stop()
    const admitted = upstream.arrivals.get(asking.id) ?? 0
    const failures = failuresIn([phase])
    return {
      figure: `shared again ${count(backMs)} ms after the primary was killed, ${count(admitted)} of a window's ${count(limit)} admitted by ${gateways} gateways, ${failures} of ${count(requestsIn([phase]))} requests failed`,
      goal: `within ${count(backGoalMs)} ms, at most ${count(2 * limit)}, 0 failed`,
      isMet: backMs <= backGoalMs && admitted <= 2 * limit && failures === 0,
    }
  } finally {
    await setup.stop()
  }
}
