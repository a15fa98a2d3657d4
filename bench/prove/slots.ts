import { until } from '../../test/support/until.ts'
import { createCaller, urlsOf, type Caller } from './caller.ts'
import { count, required, type Deployment, type Experiment, type Outcome } from './experiment.ts'
import { openHouse, type House } from './house.ts'
import { closedLoop, pause } from './load.ts'
import { leaseCount } from './redis-keys.ts'

export const slots: Experiment = {
  name: 'slots',
  shows:
    'Requests in flight never exceed the concurrency limit, whoever goes away; no slot is left taken, not even by a gateway that is killed. A deployment is asked for an operation that takes seconds',
  accepts: ['url', 'key', 'limit'],
  run: (deployment) => (deployment === undefined ? proveHere() : proveThere(deployment)),
}

const gateways = 4
const limit = 20
const acquires = 20_000
const connectionsPerGateway = 16
const abandonedShare = 0.3
const longestHoldMs = 8
const leaseSeconds = 10
/** By then the slots of whoever has gone must be free. */
const backMs = (leaseSeconds + 1) * 1_000

async function proveHere(): Promise<Outcome> {
  await using house = await openHouse({
    gateways,
    classes: { slots: { user: { concurrent: limit }, organization: { concurrent: limit } } },
    limits: { leaseSeconds },
    // Redis is not to fail here, however busy the machine is.
    redis: { commandTimeoutMs: 5_000 },
  })
  const tally = await acquireManyTimes(house)
  const peak = house.upstream.takePeak()
  const cleanMs = await timeUntil(async () => (await leaseCount(house.redis.url)) === 0)
  const left = await leaseCount(house.redis.url)
  const killedMs = await timeOfKilledSlots(house)
  const isKept = peak <= limit && house.upstream.takePeak() <= limit
  return {
    figure: `${count(acquires)} acquires at ${gateways} gateways (${count(tally.granted)} granted, ${count(tally.refused)} refused, ${count(tally.abandoned)} abandoned): at most ${peak} in flight at the upstream, ${left} leases left after ${seconds(cleanMs)} s; ${limit} slots of a killed gateway back after ${seconds(killedMs)} s; ${tally.failed} failures`,
    goal: `at most ${limit} in flight, 0 left and all back within ${seconds(backMs)} s, 0 failures`,
    isMet: isKept && left === 0 && killedMs <= backMs && tally.failed === 0,
  }
}

type Tally = { granted: number; refused: number; abandoned: number; failed: number }

async function acquireManyTimes({ fleet }: House): Promise<Tally> {
  await using caller = createCaller(urlsOf(fleet.gateways), connectionsPerGateway)
  const tally: Tally = { granted: 0, refused: 0, abandoned: 0, failed: 0 }
  const { authorization } = fleet
  await closedLoop(acquires, gateways * connectionsPerGateway, async () => {
    const path = `/slots/hold/${Math.round(Math.random() * longestHoldMs)}`
    const abort = new AbortController()
    const isImpatient = Math.random() < abandonedShare
    const timer =
      isImpatient &&
      setTimeout(
        () => {
          abort.abort()
        },
        Math.random() * 2 * longestHoldMs,
      )
    const status = await caller.call({ path, authorization, signal: abort.signal })
    if (timer !== false) clearTimeout(timer)
    if (status === 200) tally.granted += 1
    else if (status === 429) tally.refused += 1
    else if (status === undefined && abort.signal.aborted) tally.abandoned += 1
    else tally.failed += 1
  })
  return tally
}

/** Take every slot through one gateway, kill it, and take them all through another. */
async function timeOfKilledSlots({ fleet }: House): Promise<number> {
  const { authorization } = fleet
  const [victim, ...others] = fleet.gateways
  if (victim === undefined) throw new Error('There is no gateway to kill')
  await using held = createCaller(urlsOf([victim]), limit)
  if ((await hang(held, authorization, limit)) !== limit) throw new Error('A slot was taken')
  await victim.kill()
  await using caller = createCaller(urlsOf(others), limit)
  let taken = 0
  return await timeUntil(async () => {
    taken += await hang(caller, authorization, limit - taken)
    return taken === limit
  })
}

/** Begin requests that do not end. @returns how many were admitted */
async function hang(caller: Caller, authorization: string, times: number): Promise<number> {
  const path = '/slots/hang'
  const begun = await Promise.all(
    Array.from({ length: times }, (_, place) => caller.open(place, { path, authorization })),
  )
  for (const { body } of begun) body.on('error', () => undefined)
  const refused = begun.filter(({ statusCode }) => statusCode !== 200)
  await Promise.all(refused.map(({ body }) => body.dump()))
  return begun.length - refused.length
}

/** Milliseconds until something holds; more than is allowed where it does not. */
async function timeUntil(holds: () => Promise<boolean>): Promise<number> {
  const startMs = performance.now()
  await until(holds, 2 * backMs).catch(() => undefined)
  return performance.now() - startMs
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(1)
}

/** The gateway hears of an abandoned request when the network tells it. */
const graceMs = 1_000

/** Ask for more than the limit at once, abandon all, and ask again: three times. */
async function proveThere(deployment: Deployment): Promise<Outcome> {
  const { urls, authorization } = deployment
  const expected = required(deployment.limit, 'limit')
  const admitted: number[] = []
  for (let round = 0; round < 3; round++) {
    await using caller = createCaller(urls, 2 * expected)
    admitted.push(await begin(caller, authorization, 2 * expected))
    await pause(graceMs)
  }
  return {
    figure: `${admitted.join(', ')} of ${count(2 * expected)} at once admitted, each time after the earlier ones were abandoned`,
    goal: `exactly ${count(expected)} each time`,
    isMet: admitted.every((each) => each === expected),
  }
}

/** Begin requests at once and look who is refused while the others are under way. */
async function begin(caller: Caller, authorization: string, times: number): Promise<number> {
  let refused = 0
  const all = Array.from({ length: times }, () =>
    caller.call({ authorization }).then((status) => {
      if (status === 429) refused += 1
    }),
  )
  await Promise.race([Promise.all(all), pause(graceMs)])
  return times - refused
}
