import { createCaller, urlsOf } from './caller.ts'
import { count, type Experiment, type Outcome } from './experiment.ts'
import { openHouse } from './house.ts'
import { pause } from './load.ts'
import { attackSlowly, provideSlowhttptest, type Ended, type SlowKind } from './slow-attack.ts'
import { upstreamPaths } from './upstream.ts'
import { failuresIn, requestsIn, steadyLoad } from './steady-load.ts'

export const slowClients: Experiment = {
  name: 'slow-clients',
  shows:
    'slowhttptest opens 1,000 slow connections of each kind, with and without good credentials, beside honest requests: each slow one is closed, and honest callers notice nothing',
  accepts: [],
  run: prove,
}

const connections = 1_000
const honestPerSecond = 50
const successGoal = 0.99
const closedGoalSeconds = 15
const descriptorsGoal = 10
const settleMs = 2_000
const answerBytes = 10_000_000

async function prove(): Promise<Outcome> {
  provideSlowhttptest()
  await using house = await openHouse({
    gateways: 1,
    classes: { open: {} },
    groups: (upstreamUrl) => [
      {
        name: 'crowd',
        mount: '/crowd',
        limitClass: 'open',
        paths: upstreamPaths,
        upstreamUrl,
        // So that none is refused for want of one: each is to have what it asks for.
        upstream: { connections: 2 * connections },
      },
    ],
  })
  const { fleet } = house
  const [gateway] = fleet.gateways
  const [slowUser] = await house.addUsers(1)
  if (gateway === undefined || slowUser === undefined) throw new Error('There is no gateway')
  const [url = ''] = urlsOf(fleet.gateways)
  await using caller = createCaller([url], 32)
  const call = { path: '/crowd/hello', authorization: fleet.authorization }
  const load = steadyLoad(caller, honestPerSecond, call)
  await pause(settleMs)
  const honest = load.phase(call)
  const ends: [string, Ended][] = []
  for (const kind of kindsFor(slowUser.authorization)) {
    ends.push([kind.name, await attackSlowly({ url, pid: gateway.pid }, connections, kind)])
    process.stderr.write(JSON.stringify(ends.at(-1))+'\n')
    await pause(settleMs)
  }
  await load.stop()
  const asked = requestsIn([honest])
  const success = 1 - failuresIn([honest]) / asked
  const all = ends.map(([, each]) => each)
  const told = ends.map(([name, { most, seconds }]) => `${name} ${seconds.toFixed(1)} s (${most})`)
  return {
    figure: `the last of ${count(connections)} was closed after (most at once): ${told.join(', ')}; at most ${Math.max(...all.map(({ left }) => left))} descriptors more than before; ${(success * 100).toFixed(2)} % of ${count(asked)} honest requests succeeded`,
    goal: `each within ${closedGoalSeconds} s, descriptors within ${descriptorsGoal} of before, at least ${successGoal * 100} %`,
    isMet:
      success >= successGoal &&
      all.every(({ seconds }) => seconds <= closedGoalSeconds) &&
      all.every(({ left }) => left <= descriptorsGoal),
  }
}

/** Those without credentials are answered 401; the others reach operations, and hold what an honest caller holds. */
function kindsFor(authorization: string): readonly SlowKind[] {
  const heads = ['-H', '-i', '5', '-x', '10']
  const bodies = ['-B', '-i', '5', '-x', '10', '-s', '8192']
  const readers = ['-X', '-w', '512', '-y', '1024', '-n', '5', '-z', '32', '-k', '3']
  const ranges = ['-R', '-a', '5', '-b', '2000']
  const download = `/crowd/download/${answerBytes}`
  return [
    { name: 'heads', options: heads, path: '/crowd/hello', authorization },
    { name: 'refused bodies', options: bodies, path: '/crowd/upload', authorization: undefined },
    { name: 'bodies', options: bodies, path: '/crowd/upload', authorization },
    { name: 'refused readers', options: readers, path: download, authorization: undefined },
    { name: 'readers', options: readers, path: download, authorization },
    { name: 'refused ranges', options: ranges, path: download, authorization: undefined },
  ]
}
