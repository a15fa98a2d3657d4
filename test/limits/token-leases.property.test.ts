import fc from 'fast-check'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { AdmissionOptions, LimitClass } from '../../src/limits/admission.ts'
import type { FindOverride } from '../../src/limits/applicable-limits.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { connect, isAdmitted, limitClass, openAdmission, times } from './fixtures.ts'
import { withClock, type ClockedRedis } from './redis-clock.ts'

let server: TestRedis
let redis: ClockedRedis
let client: Redis

beforeAll(async () => {
  server = await startRedis()
  redis = withClock(await connect(server.url), server.url)
  client = new Redis(server.url)
})
afterAll(async () => {
  client.disconnect()
  redis.close()
  redis.connection.close()
  await server.stop()
})

type Step =
  | { readonly do: 'admit'; readonly asked: readonly { process: number; cost: number }[] }
  | { readonly do: 'wait'; readonly ms: number }
  /** Until about the end of the window. */
  | { readonly do: 'wait-for-end'; readonly ms: number }
  | { readonly do: 'crash'; readonly process: number }
  | { readonly do: 'override'; readonly limit: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({
      do: fc.constant('admit' as const),
      asked: fc.array(
        fc.record({
          process: fc.nat(2),
          cost: fc.oneof({ weight: 4, arbitrary: fc.constant(1) }, fc.integer({ min: 1, max: 8 })),
        }),
        { minLength: 1, maxLength: 6 },
      ),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('wait'), ms: fc.integer({ min: 1, max: 9_000 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('wait-for-end'),
      ms: fc.integer({ min: -12, max: 1_500 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crash'), process: fc.nat(2) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('override'), limit: fc.integer({ min: 1, max: 60 }) }),
  },
)

const world = fc
  .record({
    processes: fc.integer({ min: 1, max: 3 }),
    share: fc.integer({ min: 1, max: 8 }),
    more: fc.nat(20),
    windowMs: fc.integer({ min: 1_000, max: 20_000 }),
    besides: fc.constantFrom(undefined, 'fixed' as const, 'sliding' as const),
  })
  .map(({ processes, share, more, windowMs, besides }) => ({
    ...{ processes, share, windowMs, besides },
    requests: share * processes + more,
  }))
type World = typeof world extends fc.Arbitrary<infer Of> ? Of : never

// What Redis says of a window, its end, tells which one it is; everything else is counted here.
it('whatever comes, a window admits its limit at most, and leaves no more unused than is said', async () => {
  await fc.assert(
    fc.asyncProperty(world, fc.array(step, { minLength: 20, maxLength: 60 }), follow),
    {
      numRuns: 200,
    },
  )
})

async function follow(of: World, steps: readonly Step[]): Promise<void> {
  let nowMs = Date.UTC(2100, 0)
  let limit = of.requests
  let findOverride: FindOverride = () => undefined
  const options: Partial<AdmissionOptions> = {
    replicas: of.processes,
    now: () => nowMs,
    wallClock: () => nowMs,
    overrides: () => findOverride,
  }
  const first = openAdmission(redis.connection, options)
  const { keyPrefix } = first
  const open = () => openAdmission(redis.connection, { ...options, keyPrefix })
  const all = [first, ...Array.from({ length: of.processes - 1 }, open)]
  const classes = Array.from({ length: of.share }, (_, i) => classOf(of, i + 1))
  const [plain] = classes
  if (plain === undefined) throw new Error('There is no class')
  const [key = ''] = first.findLimits(at(plain)).windows.map((window) => window.key)
  /** What was admitted in each window, by its end. */
  const admitted = new Map<string, number>()
  /** The least that each process has said remains, in a window. */
  let told = new Map<string, number>()
  let lost = 0
  let endsAtMs = nowMs
  await redis.setTime(nowMs)

  for (const each of steps) {
    if (each.do === 'wait' || each.do === 'wait-for-end') {
      nowMs = Math.max(nowMs, each.do === 'wait' ? nowMs + each.ms : endsAtMs + each.ms)
      await redis.setTime(nowMs)
    } else if (each.do === 'crash') {
      const place = each.process % of.processes
      await all[place]?.close()
      all[place] = open()
      lost += of.share
      // Another process at its place knows nothing of what it told.
      told = new Map([...told].filter(([name]) => !name.startsWith(`${place} `)))
    } else if (each.do === 'override') {
      // What was taken by a higher limit is not used by a lower one.
      lost += of.processes * of.share
      limit = each.limit
      findOverride = (_organization, _principal, name) =>
        name === 'standard.user.requests' ? each.limit : undefined
      told = new Map()
    } else {
      const decided = await times(each.asked.length, async (i) => {
        const { process = 0, cost = 1 } = each.asked[i] ?? {}
        const weight = Math.min(cost, of.share)
        const place = process % of.processes
        const answer = await (all[place] ?? first).admit(at(classes[weight - 1] ?? plain))
        return { answer, place, weight: Math.min(weight, limit) }
      })
      // Shares that were asked for meanwhile come before the clock goes on.
      await new Promise(setImmediate)
      const end = (await client.get(key))?.slice(0, 13) ?? ''
      endsAtMs = Number(end)
      for (const { answer, place, weight } of decided) {
        if (!isAdmitted(answer)) continue
        expect(Number(end)).toBeGreaterThan(nowMs)
        const sum = (admitted.get(end) ?? 0) + weight
        admitted.set(end, sum)
        expect(sum).toBeLessThanOrEqual(limit)
        const remaining = answer.limit?.remaining ?? -1
        expect(remaining).toBeGreaterThanOrEqual(0)
        if (of.besides !== undefined) continue
        expect(remaining).toBeLessThanOrEqual(told.get(`${place} ${end}`) ?? limit)
        if (each.asked.length === 1) told.set(`${place} ${end}`, remaining)
      }
      const refused = decided.filter(
        ({ answer }) => answer.kind === 'refused' && answer.scope === 'user',
      )
      for (const { weight } of refused) {
        const unused = limit - (admitted.get(end) ?? 0)
        expect(unused).toBeLessThanOrEqual(of.processes * of.share + weight - 1 + lost)
      }
    }
  }
  for (const each of all) await each.close()
}

function classOf(of: World, cost: number): LimitClass {
  const { requests, windowMs, share: tokenShare, besides } = of
  const organization =
    besides === undefined
      ? {}
      : { window: { requests: requests + 5, windowMs: 7_000, isSliding: besides === 'sliding' } }
  const limits = limitClass({ user: { window: { requests, windowMs, tokenShare } }, organization })
  return { ...limits, cost }
}

function at(limits: LimitClass) {
  return { organizationId: 'o-1', principalId: 'u-1', limitClass: limits }
}
