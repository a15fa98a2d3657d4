import { readdirSync } from 'node:fs'
import { until } from '../../test/support/until.ts'
import { createCaller, urlsOf } from './caller.ts'
import { count, type Experiment, type Outcome } from './experiment.ts'
import { openHouse } from './house.ts'
import { closedLoop, pause } from './load.ts'
import {
  attackSlowly,
  honestAddress,
  provideSlowhttptest,
  type Ended,
  type SlowKind,
} from './slow-attack.ts'
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
const warmUpRequests = 2_000
/** Longer than connections to an upstream are kept. */
const settleMs = 6_000
const settledWithinMs = 15_000
/** More than the kernel takes from the gateway for a client that reads nothing. */
const answerBytes = 2_000_000

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
  await using caller = createCaller(urlsOf(fleet.gateways), 32, honestAddress)
  const call = { path: '/crowd/hello', authorization: fleet.authorization }
  await closedLoop(warmUpRequests, 32, async () => {
    await caller.call(call)
  })
  await pause(settleMs)
  const before = descriptorsOf(gateway.pid)
  const load = steadyLoad(caller, honestPerSecond, call)
  const honest = load.phase(call)
  const kinds = new Map<string, Ended>()
  for (const kind of kindsFor(slowUser.authorization)) {
    kinds.set(kind.name, await attackSlowly(gateway.port, connections, kind))
    await pause(settleMs)
  }
  await load.stop()
  const left = await leftAbove(before, gateway.pid)
  const asked = requestsIn([honest])
  const success = 1 - failuresIn([honest]) / asked
  const longest = [...kinds].map(([name, { seen, longestSeconds }]) =>
    seen < connections / 2
      ? `${name} (closed at once) ${longestSeconds.toFixed(1)} s`
      : `${name} ${longestSeconds.toFixed(1)} s`,
  )
  return {
    figure: `of ${count(connections)} connections of each kind the longest were open: ${longest.join(', ')}; then ${left} descriptors more than before; ${(success * 100).toFixed(2)} % of ${count(asked)} honest requests succeeded`,
    goal: `at most ${closedGoalSeconds} s, within ${descriptorsGoal} of before, at least ${successGoal * 100} %`,
    isMet:
      success >= successGoal &&
      left <= descriptorsGoal &&
      [...kinds.values()].every(({ longestSeconds }) => longestSeconds <= closedGoalSeconds),
  }
}

/** Connections to the upstream that were needed meanwhile are closed some seconds after the last request. */
async function leftAbove(before: number, pid: number): Promise<number> {
  const left = (): number => descriptorsOf(pid) - before
  await until(() => left() <= descriptorsGoal, settledWithinMs).catch(() => undefined)
  return left()
}

/** Files, sockets and the like that a process has open (Linux). */
function descriptorsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length
}

/** Those without credentials are answered 401; the others reach operations, and hold what an honest caller holds. */
function kindsFor(authorization: string): readonly SlowKind[] {
  const heads = ['-H', '-i', '5', '-x', '10']
  const bodies = ['-B', '-i', '5', '-x', '10', '-s', '8192']
  const readers = ['-X', '-w', '512', '-y', '1024', '-n', '5', '-z', '32']
  const ranges = ['-R', '-a', '5', '-b', '2000']
  const download = `/crowd/zeros/${answerBytes}`
  return [
    { name: 'heads', options: heads, path: '/crowd/hello', authorization },
    { name: 'refused bodies', options: bodies, path: '/crowd/upload', authorization: undefined },
    { name: 'bodies', options: bodies, path: '/crowd/upload', authorization },
    { name: 'refused readers', options: readers, path: download, authorization: undefined },
    { name: 'readers', options: readers, path: download, authorization },
    { name: 'refused ranges', options: ranges, path: download, authorization: undefined },
  ]
}
