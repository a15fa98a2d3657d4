import { until } from '../../test/support/until.ts'
import { createApiClient, serviceAccounts, statusOf } from './api-client.ts'
import { createCaller, urlsOf } from './caller.ts'
import { accountsIn } from './database-ids.ts'
import { count, type Experiment, type Outcome } from './experiment.ts'
import { openHouse } from './house.ts'
import { openLoop, pause, percentile } from './load.ts'
import { failuresIn, requestsIn, steadyLoad } from './steady-load.ts'

export const directoryDown: Experiment = {
  name: 'directory-down',
  shows:
    'PostgreSQL is killed under load: who is known is let in for as long as configured and not longer, who is not is put off (503), changes are made whole or refused, and all is well by itself when it is back',
  accepts: [],
  run: prove,
}

const gateways = 2
const perSecond = 300
const writesPerSecond = 20
const warmUpMs = 6_000
const knownMs = 10_000
const returnGoalMs = 2_000
const cache = { maxAgeSeconds: 2, staleSeconds: 14 }
/** For readings and timers on a busy machine. */
const graceMs = 1_500

async function prove(): Promise<Outcome> {
  await using house = await openHouse({
    gateways,
    classes: { standard: {} },
    services: ['iam'],
    directoryCache: cache,
    configuration: { publicOrigin: 'https://api.test' },
  })
  const { fleet, postgres } = house
  const urls = urlsOf(fleet.gateways)
  const [known, unknown] = await house.addUsers(2)
  if (known === undefined || unknown === undefined) throw new Error('There are no users')
  await using caller = createCaller(urls, 64)
  const call = createApiClient(() => urls, fleet.authorization)
  const of = (authorization: string) => ({ path: '/standard/hello', authorization })

  const load = steadyLoad(caller, perSecond, of(known.authorization))
  await pause(warmUpMs)
  const writes = writing(call)
  const before = load.phase(of(known.authorization))
  await pause(2_000)
  const down = load.phase(of(known.authorization))
  const killedAtMs = performance.now()
  await postgres.kill()
  const strangers = new Map<number | undefined, number>()
  const asking = openLoop(20, async () => {
    const status = await caller.call(of(unknown.authorization))
    strangers.set(status, (strangers.get(status) ?? 0) + 1)
  })
  await pause(knownMs)
  const later = load.phase(of(known.authorization))
  await asking.stop()
  await until(() => later.statuses.has(503), cache.staleSeconds * 1_000 + 5_000)
  const agedMs = performance.now() - killedAtMs
  // What is answered now counts for nobody.
  load.phase(of(known.authorization))
  const restartedAtMs = performance.now()
  await postgres.restart()
  await until(async () => (await statusOf(call({ path: serviceAccounts }))) === 200, 30_000)
  const backMs = performance.now() - restartedAtMs
  const after = load.phase(of(unknown.authorization))
  await pause(4_000)
  await writes.stop()
  await load.stop()

  const phases = [before, down, after]
  const failures = failuresIn(phases)
  const { there, noted } = await accountsIn(house)
  const lost = writes.made.filter((id) => !there.has(id)).length
  const half = there.size === noted.size && [...there].every((id) => noted.has(id)) ? 0 : 1
  const puts = strangers.get(503) ?? 0
  const wrong = [...strangers.values()].reduce((sum, times) => sum + times, 0) - puts
  const isAged =
    agedMs <= cache.staleSeconds * 1_000 + graceMs &&
    agedMs >= (cache.staleSeconds - cache.maxAgeSeconds) * 1_000 - graceMs
  return {
    figure: `${failures} of ${count(requestsIn(phases))} requests of known callers failed, known for ${(agedMs / 1_000).toFixed(1)} s; p99 ${percentile(down.latenciesMs, 0.99).toFixed(1)} ms, before ${percentile(before.latenciesMs, 0.99).toFixed(1)}; ${puts} unknown ones put off, ${wrong} answered otherwise; ${count(writes.made.length)} changes acknowledged, ${lost} of them lost, ${writes.refused()} refused with 503, ${writes.other()} answered otherwise, ${half === 0 ? 'none' : 'some'} half done; back after ${count(backMs)} ms`,
    goal: `0 failed, known for ${cache.staleSeconds - cache.maxAgeSeconds} to ${cache.staleSeconds} s, every unknown one put off, none lost or half done, back within ${count(returnGoalMs)} ms`,
    isMet:
      failures === 0 &&
      isAged &&
      puts > 0 &&
      wrong === 0 &&
      lost + half + writes.other() === 0 &&
      writes.refused() > 0 &&
      backMs <= returnGoalMs,
  }
}

/** Changes all the while, whatever becomes of them. */
function writing(call: ReturnType<typeof createApiClient>) {
  const made: string[] = []
  let refused = 0
  let other = 0
  let next = 0
  const loop = openLoop(writesPerSecond, async () => {
    const number = next++
    const body = { display_name: `account ${number}` }
    const answer = await call({ method: 'POST', path: serviceAccounts, body }, number).catch(
      () => undefined,
    )
    if (answer?.status === 201) made.push(answer.body.id ?? '')
    else if (answer?.status === 503) refused += 1
    else other += 1
  })
  return { made, refused: () => refused, other: () => other, stop: () => loop.stop() }
}
