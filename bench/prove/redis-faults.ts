import type { Redis } from 'ioredis'
import { until } from '../../test/support/until.ts'
import { createCaller, urlsOf } from './caller.ts'
import { count, type Experiment, type Outcome } from './experiment.ts'
import { openHouse } from './house.ts'
import { pause } from './load.ts'
import { areAll } from './readiness.ts'
import { withRedis } from './redis-keys.ts'
import { failuresIn, requestsIn, steadyLoad, type Phase } from './steady-load.ts'

export const redisFaults: Experiment = {
  name: 'redis-faults',
  shows:
    'Under load, Redis is flushed, loses its scripts and its connections, is out of memory, a replica, paused and busy, one after the other: nobody is answered 5xx, and no request waits long',
  accepts: [],
  run: prove,
}

const gateways = 2
const perSecond = 200
const warmUpMs = 8_000
const faultMs = 3_000
const addedGoalMs = 100

type Fault = {
  readonly name: string
  readonly begin: (client: Redis) => Promise<unknown>
  readonly end?: (client: Redis) => Promise<unknown>
}

const faults: readonly Fault[] = [
  { name: 'flushed', begin: (client) => client.flushall() },
  { name: 'script flush', begin: (client) => client.script('FLUSH') },
  {
    name: 'connections cut',
    begin: (client) => client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'),
  },
  {
    name: 'out of memory',
    begin: (client) => client.config('SET', 'maxmemory', '1'),
    end: (client) => client.config('SET', 'maxmemory', '0'),
  },
  {
    name: 'a replica',
    begin: (client) => client.replicaof('127.0.0.1', '1'),
    end: (client) => client.replicaof('NO', 'ONE'),
  },
  { name: 'paused', begin: (client) => client.call('CLIENT', 'PAUSE', String(faultMs), 'ALL') },
  {
    name: 'busy',
    begin: async (client) => {
      await client.config('SET', 'busy-reply-threshold', '10')
      client
        .duplicate()
        .eval('while true do end', 0)
        .catch(() => undefined)
    },
    end: (client) => client.script('KILL'),
  },
]

async function prove(): Promise<Outcome> {
  const user = { requests: 1_000_000, windowSeconds: 3_600, concurrent: 1_000 }
  await using house = await openHouse({ gateways, classes: { rated: { user } } })
  const { fleet, redis } = house
  await using caller = createCaller(urlsOf(fleet.gateways), 64)
  const call = { path: '/rated/hello', authorization: fleet.authorization }
  const load = steadyLoad(caller, perSecond, call)
  await pause(warmUpMs)
  const before = load.phase(call)
  await pause(faultMs)
  const phases: { readonly name: string; readonly phase: Phase }[] = []
  await withRedis(redis.url, async (client) => {
    for (const { name, begin, end } of faults) {
      const phase = load.phase(call)
      await begin(client)
      await pause(faultMs)
      await end?.(client)
      await until(() => areAll('up', fleet.gateways))
      phases.push({ name, phase })
    }
  })
  await load.stop()
  const usualMs = Math.max(...before.latenciesMs)
  const told = phases.map(({ name, phase }) => {
    return `${name} ${failuresIn([phase])} of ${count(requestsIn([phase]))}, longest ${Math.max(...phase.latenciesMs).toFixed(0)} ms`
  })
  const all = phases.map(({ phase }) => phase)
  const longestMs = Math.max(...all.flatMap(({ latenciesMs }) => latenciesMs))
  return {
    figure: `failures at ${perSecond}/s: ${told.join('; ')}; without a fault the longest took ${usualMs.toFixed(0)} ms`,
    goal: `0 failures, at most ${addedGoalMs} ms more`,
    isMet: failuresIn(all) === 0 && longestMs - usualMs <= addedGoalMs,
  }
}
