import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type {
  Admission,
  AdmissionControl,
  AdmissionOptions,
  LimitClass,
} from '../../src/limits/admission.ts'
import type { FindOverride } from '../../src/limits/applicable-limits.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { atOnce, connect, fieldsOf, openAdmission, verdictOf } from './fixtures.ts'
import { withClock, type ClockedRedis } from './redis-clock.ts'
import { createModel, type Asked, type Expected } from './reference-model.ts'

let server: TestRedis
let redis: ClockedRedis

beforeAll(async () => {
  server = await startRedis()
  redis = withClock(await connect(server.url), server.url)
})
afterAll(async () => {
  redis.close()
  redis.connection.close()
  await server.stop()
})

type Step =
  | { readonly do: 'admit'; readonly user: number; readonly organization: number; cost: number }
  | { readonly do: 'release'; readonly which: number }
  | { readonly do: 'crash' }
  /** A step back is a clock that was set. */
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'override'; readonly name: string; readonly who: string; readonly limit: number }

const leaseMs = 1_000_000

const admitStep = fc.record({
  do: fc.constant('admit' as const),
  user: fc.nat(2),
  organization: fc.nat(1),
  cost: fc.oneof({ weight: 4, arbitrary: fc.constant(1) }, fc.integer({ min: 1, max: 5 })),
})
const releaseStep = fc.record({ do: fc.constant('release' as const), which: fc.nat(20) })
const crashStep = fc.record({ do: fc.constant('crash' as const) })
const waitStep = fc.record({
  do: fc.constant('wait' as const),
  ms: fc.oneof(
    { weight: 5, arbitrary: fc.integer({ min: 1, max: 20_000 }) },
    fc.integer({ min: -300_000, max: -1 }),
    fc.constantFrom(leaseMs, 3_600_000, 86_400_000, 35 * 86_400_000),
  ),
})
const overrideStep = fc.record({
  do: fc.constant('override' as const),
  name: fc.constantFrom(
    ...['standard.user.requests', 'standard.organization.requests', 'standard.user.concurrent'],
    ...['standard.writes.user.requests', 'hourly', 'monthly'],
  ),
  who: fc.constantFrom('o-0', 'o-1', 'o-0 u-0', 'o-1 u-1'),
  limit: fc.integer({ min: 1, max: 9 }),
})
const step = fc.oneof(
  { weight: 20, arbitrary: admitStep },
  { weight: 5, arbitrary: releaseStep },
  { weight: 5, arbitrary: waitStep },
  { weight: 2, arbitrary: overrideStep },
  crashStep,
)

const shadowing = { isShadow: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, fc.boolean()) }
const scope = fc.record(
  {
    window: fc.record({
      requests: fc.integer({ min: 1, max: 6 }),
      windowMs: fc.integer({ min: 1_000, max: 60_000 }),
      isSliding: fc.boolean(),
    }),
    concurrent: fc.integer({ min: 1, max: 4 }),
    whenUnavailable: fc.constant('local' as const),
    ...shadowing,
  },
  { requiredKeys: ['whenUnavailable'] },
)
const quotaOf = (name: string, periods: readonly ('hour' | 'day' | 'month')[]) =>
  fc.record({
    name: fc.constant(name),
    scope: fc.constantFrom('user' as const, 'organization' as const),
    limit: fc.integer({ min: 1, max: 12 }),
    period: fc.constantFrom(...periods),
    whenUnavailable: fc.constant('local' as const),
    ...shadowing,
  })
const limits: fc.Arbitrary<LimitClass> = fc.record({
  name: fc.constant('standard'),
  user: scope,
  organization: scope,
  rules: fc.array(fc.record({ name: fc.constant('writes'), user: scope, organization: scope }), {
    maxLength: 1,
  }),
  quotas: fc
    .subarray(['hourly', 'monthly'])
    .chain((names) =>
      fc.tuple(
        ...names.map((name) => quotaOf(name, name === 'hourly' ? ['hour'] : ['day', 'month'])),
      ),
    ),
})
/** Of centuries, leap years and months of every length. */
const start = fc.integer({ min: Date.UTC(2095, 0), max: Date.UTC(2205, 0) })

it('in process, every schedule is decided as the model decides it', async () => {
  await fc.assert(
    fc.asyncProperty(start, limits, fc.array(step, { maxLength: 80 }), async (at, of, steps) => {
      const schedule = steps.filter((each) => each.do !== 'crash').map((each) => [each])
      await follow(of, schedule, { startMs: at, leaseMs: Infinity }, undefined)
    }),
    { numRuns: 400 },
  )
})

it('Redis decides every schedule as the model does, in whatever batches it comes', async () => {
  const turns = fc.array(fc.array(step, { maxLength: 12 }), { maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(start, limits, turns, (at, of, schedule) =>
      follow(of, schedule, { startMs: at, leaseMs }, redis),
    ),
    { numRuns: 300 },
  )
})

type World = { readonly startMs: number; readonly leaseMs: number }

/** Take a schedule, turn by turn: what is asked in one turn is asked at once. */
async function follow(
  limitsOfAll: LimitClass,
  schedule: readonly (readonly Step[])[],
  world: World,
  clocked: ClockedRedis | undefined,
): Promise<void> {
  let nowMs = world.startMs
  let overrides = new Map<string, number>()
  const find: FindOverride = (organization, user = '', name) =>
    overrides.get(`${user} ${name}`) ?? overrides.get(`${organization} ${name}`)
  let findOverride = find
  const options: Partial<AdmissionOptions> = {
    leaseMs,
    now: () => nowMs,
    wallClock: () => nowMs,
    overrides: () => findOverride,
  }
  let admission = openAdmission(clocked?.connection, options)
  const { keyPrefix } = admission
  const overrideOf = (asked: Asked, scopeName: string, name: string): number | undefined =>
    (scopeName === 'user' ? overrides.get(`${asked.principalId} ${name}`) : undefined) ??
    overrides.get(`${asked.organizationId} ${name}`)
  const model = createModel({ now: () => nowMs, leaseMs: world.leaseMs, overrideOf })
  let releases: (() => void)[] = []
  let knowsLess = schedule.flat().some((each) => each.do === 'admit' && each.cost > 1)
  await clocked?.setTime(nowMs)

  for (const turn of schedule) {
    for (const each of turn) {
      // Releases go first in a call, and so they do here.
      if (each.do === 'release') releases[each.which]?.()
      else if (each.do === 'wait') nowMs += each.ms
      else if (each.do === 'override') {
        overrides = new Map(overrides).set(`${each.who} ${each.name}`, each.limit)
        findOverride = (...asked) => find(...asked)
      } else if (each.do === 'crash') {
        await admission.close()
        releases = []
        knowsLess = true
        admission = openAdmission(clocked?.connection, { ...options, keyPrefix })
      }
    }
    await clocked?.setTime(nowMs)
    const asked = turn
      .filter((each) => each.do === 'admit')
      .map((each) => question(limitsOfAll, each))
    const expected = asked.map(model)
    const decided = await atOnce(asked, (each) => (admission as AdmissionControl).admit(each))
    expect(decided.map(seen)).toEqual(
      expected.map((each, i) =>
        seenInModel(each, knowsLess || asked.length > 1 ? decided[i] : undefined),
      ),
    )
    for (const [i, each] of decided.entries()) {
      if (each.kind !== 'admitted') continue
      releases.push(() => {
        each.permit.release()
        expected[i]?.release()
      })
    }
  }
  await admission.close()
}

function question(limitClass: LimitClass, each: Extract<Step, { do: 'admit' }>): Asked {
  const organizationId = `o-${each.organization}`
  const principalId = `${organizationId} u-${each.user}`
  return { organizationId, principalId, limitClass: withCost(limitClass, each.cost) }
}

const classes = new WeakMap<LimitClass, Map<number, LimitClass>>()

/** Operations that cost the same have one class. */
function withCost(limitClass: LimitClass, cost: number): LimitClass {
  const known = classes.get(limitClass) ?? new Map<number, LimitClass>()
  classes.set(limitClass, known)
  const costing = known.get(cost) ?? { ...limitClass, cost }
  known.set(cost, costing)
  return costing
}

function seen(decided: Admission) {
  const wouldDeny = decided.kind === 'admitted' ? (decided.wouldDeny ?? []) : []
  const isSlot = decided.kind === 'refused' && decided.reason === 'concurrency'
  const fields = fieldsOf(decided)
  return {
    verdict: verdictOf(decided),
    fields: isSlot ? 'any' : fields,
    wouldDeny: wouldDeny.toSorted(),
  }
}

/**
 * A process that follows another does not know every window that the other found exhausted, nor which
 * of a caller's windows lack room for more than was asked about; it refuses without asking by those
 * that it knows; so does one whose other questions of the same turn are not answered yet. Any of them
 * may then be the one described.
 */
function seenInModel({ verdict, fields, others, wouldDeny }: Expected, by: Admission | undefined) {
  const known = by && seen(by)
  const other = others.find((each) => isDeepStrictEqual({ ...each, wouldDeny }, known))
  const isSlot = verdict.endsWith('concurrency')
  return { verdict, fields: isSlot ? 'any' : fields, ...other, wouldDeny }
}
