import type { GatewayProcess } from '../../test/support/gateway-process.ts'
import { until } from '../../test/support/until.ts'
import { createCaller, urlsOf } from './caller.ts'
import { count, type Experiment, type Outcome } from './experiment.ts'
import { openHouse, type House } from './house.ts'
import { closedLoop } from './load.ts'
import { leaseCount } from './redis-keys.ts'

export const leaseStorm: Experiment = {
  name: 'lease-storm',
  shows:
    'While requests are abandoned at any moment and gateways are killed, those in flight never exceed the concurrency limit, and no lease is left behind',
  accepts: [],
  run: prove,
}

const gateways = 4
const limit = 20
const acquires = 100_000
const kills = 5
const connectionsPerGateway = 16
const abandonedShare = 0.2
const longestHoldMs = 4
const leaseSeconds = 5
/** By then everything that was held by whoever has gone must be free. */
const backMs = (leaseSeconds + 1) * 1_000

async function prove(): Promise<Outcome> {
  await using house = await openHouse({
    gateways,
    classes: { slots: { user: { concurrent: limit }, organization: { concurrent: limit } } },
    limits: { leaseSeconds },
    // Redis is not to fail here, however busy the machine is.
    redis: { commandTimeoutMs: 5_000 },
  })
  const living = [...house.fleet.gateways]
  const tally = { granted: 0, refused: 0, gone: 0, failed: 0 }
  for (let round = 0; round < kills; round++) {
    await storm(house, living, tally)
    living.push(await house.fleet.start())
  }
  const startMs = performance.now()
  await until(async () => (await leaseCount(house.redis.url)) === 0, backMs).catch(() => undefined)
  const cleanMs = performance.now() - startMs
  const left = await leaseCount(house.redis.url)
  const peak = house.upstream.takePeak()
  return {
    figure: `${count(acquires)} acquires at ${gateways} gateways, ${kills} of them killed meanwhile (${count(tally.granted)} granted, ${count(tally.refused)} refused, ${count(tally.gone)} abandoned or cut off, ${count(tally.failed)} failed): at most ${peak} in flight at the upstream, ${left} leases left after ${(cleanMs / 1_000).toFixed(1)} s`,
    goal: `at most ${limit} in flight, 0 left within ${backMs / 1_000} s, 0 failed`,
    isMet: peak <= limit && left === 0 && tally.failed === 0,
  }
}

type Tally = { granted: number; refused: number; gone: number; failed: number }

/** A share of the acquires, in the middle of which a gateway is killed. */
async function storm({ fleet }: House, living: GatewayProcess[], tally: Tally): Promise<void> {
  await using caller = createCaller(urlsOf(living), connectionsPerGateway)
  const times = acquires / kills
  await closedLoop(times, gateways * connectionsPerGateway, async (index) => {
    if (index === times / 2) void living.shift()?.kill()
    const signal = AbortSignal.timeout(
      Math.random() < abandonedShare ? Math.ceil(Math.random() * 2 * longestHoldMs) : 60_000,
    )
    const path = `/slots/hold/${Math.round(Math.random() * longestHoldMs)}`
    const status = await caller.call({ path, authorization: fleet.authorization, signal })
    if (status === 200) tally.granted += 1
    else if (status === 429) tally.refused += 1
    else if (status === undefined) tally.gone += 1
    else tally.failed += 1
  })
}
