import { cpuMicrosOf } from '../proc.ts'
import { createCaller, urlsOf } from './caller.ts'
import { count, type Experiment, type Outcome } from './experiment.ts'
import { openHouse, type House } from './house.ts'
import { closedLoop } from './load.ts'

export const admissionCost: Experiment = {
  name: 'admission-cost',
  shows:
    'What a decision costs Redis and the gateway, with a quota and without, and what a refusal costs that is known without asking',
  accepts: [],
  run: prove,
}

const requests = 20_000
const warmUp = 5_000
const connections = 64
const redisGoalMicros = 30
const quotaGoal = 1.05
const refusalGoal = 3

const rates = { requests: 10_000_000, windowSeconds: 3_600, concurrent: 1_000 }
const plain = { user: rates, organization: rates }

async function prove(): Promise<Outcome> {
  await using house = await openHouse({
    gateways: 1,
    classes: {
      plain,
      quota: { ...plain, quotas: ['calls'] },
      exhausted: { user: { requests: 1, windowSeconds: 3_600 } },
    },
    limits: { quotas: { calls: { scope: 'organization', limit: 10_000_000, period: 'month' } } },
    // Redis is not to fail here, however busy the machine is.
    redis: { commandTimeoutMs: 5_000 },
  })
  for (const name of ['plain', 'quota', 'exhausted']) await costOf(house, name, warmUp)
  // Turn about, so that what changes on the machine meets both alike.
  const costs = { plain: [] as Cost[], quota: [] as Cost[] }
  for (let round = 0; round < 3; round++) {
    costs.plain.push(await costOf(house, 'plain', requests))
    costs.quota.push(await costOf(house, 'quota', requests))
  }
  const refusal = await costOf(house, 'exhausted', requests)
  const [without, withQuota] = [median(costs.plain), median(costs.quota)]
  const whole = (cost: Cost): number => cost.gateway + cost.redis
  const more = whole(withQuota) / whole(without)
  const cheaper = without.gateway / refusal.gateway
  return {
    figure: `Redis ${without.redis.toFixed(1)} CPU µs a request, with a quota ${withQuota.redis.toFixed(1)}; gateway and Redis ${whole(without).toFixed(0)} and ${whole(withQuota).toFixed(0)} µs (${more.toFixed(2)} times); a refusal without asking ${refusal.gateway.toFixed(0)} µs of the gateway, an admitted call ${without.gateway.toFixed(0)} (${cheaper.toFixed(1)} times); ${count(connections)} at once`,
    goal: `Redis at most ${redisGoalMicros} µs, ${quotaGoal} times with a quota, an admitted call at least ${refusalGoal} times a refusal`,
    isMet: withQuota.redis <= redisGoalMicros && more <= quotaGoal && cheaper >= refusalGoal,
  }
}

/** CPU microseconds a request. */
export type Cost = { readonly gateway: number; readonly redis: number }

export async function costOf({ fleet, redis }: House, name: string, times: number): Promise<Cost> {
  const { authorization } = fleet
  await using caller = createCaller(urlsOf(fleet.gateways), connections)
  const pids = fleet.gateways.map(({ pid }) => pid)
  const before = { gateway: cpuMicrosOf(pids), redis: cpuMicrosOf([redis.pid()]) }
  await closedLoop(times, connections, async () => {
    await caller.call({ path: `/${name}/hello`, authorization })
  })
  return {
    gateway: (cpuMicrosOf(pids) - before.gateway) / times,
    redis: (cpuMicrosOf([redis.pid()]) - before.redis) / times,
  }
}

export function median(costs: readonly Cost[]): Cost {
  const middle = (values: readonly number[]): number =>
    values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
  return {
    gateway: middle(costs.map(({ gateway }) => gateway)),
    redis: middle(costs.map(({ redis }) => redis)),
  }
}
