import { startGatewayProcess } from '../../test/support/gateway-process.ts'
import { freePort } from '../../test/support/processes.ts'
import { createCaller, urlsOf } from './caller.ts'
import { count, type Deployment, type Experiment, type Outcome } from './experiment.ts'
import { collectGarbage } from './garbage.ts'
import { openHouse } from './house.ts'
import { openLoop, pause } from './load.ts'
import { mixedTraffic, type MixedTraffic } from './mixed-traffic.ts'
import { readUrl } from './read-url.ts'
import { keysWithoutExpiry } from './redis-keys.ts'

export const soak: Experiment = {
  name: 'soak',
  shows:
    'Good, refused, abandoned and malformed requests in turn, for three minutes or as many as are given: memory does not grow, Redis keeps nothing for ever, and every answer has its line in the log',
  accepts: ['minutes'],
  run: prove,
}

const defaultMinutes = 3
const perSecond = 150
const users = 20
/** Of a run: how often memory is looked at. */
const readings = 24
const slopeGoalPercent = 1
const wide = { requests: 1_000_000, windowSeconds: 3_600, concurrent: 1_000 }
const tight = { requests: 5, windowSeconds: 10, concurrent: 5 }

async function prove(_: Deployment | undefined, minutes = defaultMinutes): Promise<Outcome> {
  await using house = await openHouse({
    gateways: 0,
    classes: { wide: { user: wide, organization: wide }, tight: { user: tight } },
  })
  const inspectorPort = await freePort()
  let lines = 0
  const gateway = await startGatewayProcess(house.fleet.configurationFile, {
    nodeOptions: [`--inspect=127.0.0.1:${inspectorPort}`],
    onRecord: ({ verdict }) => {
      if (verdict !== undefined) lines += 1
    },
  })
  try {
    await using caller = createCaller(urlsOf([gateway]), 64)
    const traffic = mixedTraffic(caller, gateway.port, await house.addUsers(users))
    const load = openLoop(perSecond, () => traffic.next())
    const heap: Reading[] = []
    for (let i = 0; i < readings; i++) {
      await pause((minutes * 60_000) / readings)
      await collectGarbage(inspectorPort)
      heap.push({ atMs: performance.now(), megabytes: await heapMb(gateway.adminPort) })
    }
    await load.stop()
    const forEver = await keysWithoutExpiry(house.redis.url)
    gateway.terminate()
    await gateway.exit()
    return outcomeOf(minutes, traffic.sent, { heap, forEver, lines })
  } finally {
    await gateway.kill()
  }
}

type Reading = { readonly atMs: number; readonly megabytes: number }

type Seen = { readonly heap: readonly Reading[]; readonly forEver: number; readonly lines: number }

function outcomeOf(
  minutes: number,
  { good, failed, refused, wrong }: MixedTraffic['sent'],
  { heap, forEver, lines }: Seen,
): Outcome {
  const last = heap.slice(-readings / 3)
  const slope = percentAMinute(last)
  const answers = good + failed + refused + wrong
  const megabytes = last.map((reading) => reading.megabytes)
  return {
    figure: `${minutes} minutes at ${perSecond}/s: in the last third the heap in use went by ${slope.toFixed(2)} % a minute (${Math.min(...megabytes).toFixed(1)}..${Math.max(...megabytes).toFixed(1)} MB), ${forEver} keys in Redis without expiry, ${count(lines)} lines for ${count(answers)} answers; ${count(good)} succeeded, ${count(refused)} were refused, ${count(failed)} failed and ${count(wrong)} were answered otherwise`,
    goal: `at most +${slopeGoalPercent} % a minute, 0 keys, a line for each answer, 0 failed`,
    isMet:
      slope <= slopeGoalPercent &&
      forEver === 0 &&
      lines === answers &&
      failed === 0 &&
      wrong === 0,
  }
}

/** By the straight line that is nearest to all (least squares), of their mean. */
function percentAMinute(readings: readonly Reading[]): number {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length
  const middleMs = mean(readings.map(({ atMs }) => atMs))
  const middle = mean(readings.map(({ megabytes }) => megabytes))
  const along = readings.map(({ atMs, megabytes }) => (atMs - middleMs) * (megabytes - middle))
  const square = readings.map(({ atMs }) => (atMs - middleMs) ** 2)
  return ((mean(along) / mean(square)) * 60_000 * 100) / middle
}

async function heapMb(adminPort: number): Promise<number> {
  const text = await readUrl(`http://127.0.0.1:${adminPort}/metrics`)
  const bytes = /^nodejs_heap_used_bytes (\S+)$/m.exec(text)?.[1]
  if (bytes === undefined) throw new Error('The gateway does not tell its heap')
  return Number(bytes) / 1_000_000
}
