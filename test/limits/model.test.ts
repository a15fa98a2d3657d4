import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Admission, AdmissionControl, LimitClass } from '../../src/limits/admission.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import {
  atOnce,
  connect,
  limitClass,
  openAdmission,
  verdictOf,
  type CountedConnection,
} from './fixtures.ts'

type Step =
  | { readonly do: 'admit'; readonly user: number; readonly organization: number }
  | { readonly do: 'release'; readonly which: number }
  | { readonly do: 'wait'; readonly ms: number }

const admitStep = fc.record({
  do: fc.constant('admit' as const),
  user: fc.nat(2),
  organization: fc.nat(1),
})
const releaseStep = fc.record({ do: fc.constant('release' as const), which: fc.nat(20) })
const waitStep = fc.record({
  do: fc.constant('wait' as const),
  ms: fc.integer({ min: 1, max: 400 }),
})

const scope = fc.record(
  {
    window: fc.record({
      requests: fc.integer({ min: 1, max: 6 }),
      // In Redis these must outlast a test.
      windowMs: fc.integer({ min: 100, max: 1_000 }).map((ms) => ms * 600),
    }),
    concurrent: fc.integer({ min: 1, max: 4 }),
  },
  { requiredKeys: [] },
)
const limits = fc.record({ user: scope, organization: scope })

let server: TestRedis
let redis: CountedConnection

beforeAll(async () => {
  server = await startRedis()
  redis = await connect(server.url)
})
afterAll(async () => {
  redis.close()
  await server.stop()
})

type Expected = {
  readonly verdict: string
  readonly remaining?: number
  readonly release?: () => void
}

/**
 * The rules, as plainly as they can be said: a list of everything that was ever admitted, from which
 * each decision is worked out anew.
 */
function createModel(
  limitsOfAll: LimitClass,
  now: () => number,
): (user: string, organization: string) => Expected {
  type Entry = { readonly of: string; readonly atMs: number; released: boolean }
  const entries: Entry[] = []

  /** The start of each window is the first entry that is not in the window before. */
  function inWindow(of: string, windowMs: number): readonly Entry[] {
    let window: Entry[] = []
    for (const entry of entries.filter((each) => each.of === of)) {
      const [first] = window
      if (first !== undefined && entry.atMs < first.atMs + windowMs) window.push(entry)
      else window = [entry]
    }
    const [first] = window
    return first !== undefined && now() < first.atMs + windowMs ? window : []
  }

  return (user: string, organization: string) => {
    const scopes = [
      { name: 'user', of: user, ...limitsOfAll.user },
      { name: 'organization', of: organization, ...limitsOfAll.organization },
    ]
    const states = scopes.flatMap(({ name, of, window }) => {
      if (window === undefined) return []
      const counted = inWindow(of, window.windowMs)
      const reset = (counted[0]?.atMs ?? now()) + window.windowMs - now()
      return [{ name, limit: window.requests, remaining: window.requests - counted.length, reset }]
    })
    const exhausted = states.filter(({ remaining }) => remaining === 0)
    const full = scopes.find(
      ({ of, concurrent }) =>
        concurrent !== undefined &&
        entries.filter((each) => each.of === of && !each.released).length >= concurrent,
    )
    const [longest] = exhausted.toSorted((a, b) => b.reset - a.reset)
    if (longest !== undefined) return { verdict: `${longest.name} rate`, remaining: 0 }
    if (full !== undefined) return { verdict: `${full.name} concurrency` }
    const taken = scopes.map(({ of }) => ({ of, atMs: now(), released: false }))
    entries.push(...taken)
    const least = states.toSorted((a, b) => a.remaining - b.remaining || b.reset - a.reset)[0]
    return {
      verdict: 'admitted',
      ...(least && { remaining: least.remaining - 1 }),
      release: () => {
        for (const entry of taken) entry.released = true
      },
    }
  }
}

it('in process, every schedule is decided as the model decides it', async () => {
  const step = fc.oneof({ weight: 5, arbitrary: admitStep }, releaseStep, waitStep)
  await fc.assert(
    fc.asyncProperty(limits, fc.array(step, { maxLength: 60 }), async (scopes, steps) => {
      let now = 0
      const limitsOfAll = limitClass(shortened(scopes))
      const admission = openAdmission(undefined, { now: () => now })
      const model = createModel(limitsOfAll, () => now)
      const releases: (() => void)[] = []
      for (const each of steps) {
        if (each.do === 'wait') now += each.ms
        else if (each.do === 'release') releases[each.which]?.()
        else {
          const expected = model(userOf(each), organizationOf(each))
          const decided = await admit(admission, limitsOfAll, each)
          expect(verdictOf(decided)).toBe(expected.verdict)
          if (expected.remaining !== undefined)
            expect(remainingOf(decided)).toBe(expected.remaining)
          if (decided.kind !== 'admitted') continue
          const { permit } = decided
          releases.push(() => {
            permit.release()
            expected.release?.()
          })
        }
      }
    }),
    { numRuns: 500 },
  )
})

it('Redis decides every schedule as this process does, in whatever batches it comes', async () => {
  const step = fc.oneof({ weight: 5, arbitrary: admitStep }, releaseStep)
  const turns = fc.array(fc.array(step, { maxLength: 12 }), { maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(limits, turns, async (scopes, schedule) => {
      const limitsOfAll = limitClass(scopes)
      const shared = openAdmission(redis)
      const alone = openAdmission(undefined)
      const releases: (() => void)[] = []
      for (const turn of schedule) {
        // Releases go first in a call, and so they do here.
        for (const each of turn) if (each.do === 'release') releases[each.which]?.()
        const asked = turn.filter((each) => each.do === 'admit')
        const decided = await atOnce(asked, (each) => admit(shared, limitsOfAll, each))
        const expected = await atOnce(asked, (each) => admit(alone, limitsOfAll, each))
        expect(decided.map(summary)).toEqual(expected.map(summary))
        for (const [i, each] of decided.entries()) {
          const other = expected[i]
          if (each.kind !== 'admitted' || other?.kind !== 'admitted') continue
          releases.push(() => {
            each.permit.release()
            other.permit.release()
          })
        }
      }
      await shared.close()
    }),
    { numRuns: 150 },
  )
})

type Admit = Extract<Step, { do: 'admit' }>
const organizationOf = ({ organization }: Admit) => `o-${organization}`
const userOf = (step: Admit) => `${organizationOf(step)} u-${step.user}`

function admit(
  admission: AdmissionControl,
  limitsOfAll: LimitClass,
  step: Admit,
): Admission | Promise<Admission> {
  return admission.admit({
    organizationId: organizationOf(step),
    principalId: userOf(step),
    limitClass: limitsOfAll,
  })
}

function remainingOf(decided: Admission): number | undefined {
  return decided.kind === 'unavailable' ? undefined : decided.limit?.remaining
}

function summary(decided: Admission) {
  if (decided.kind === 'unavailable') return decided
  // Of several exhausted windows, the one that is known without asking may be the one described.
  if (decided.kind === 'refused' && decided.reason === 'rate') return 'rate'
  // The reset differs by the time that passes between the two.
  return [verdictOf(decided), decided.limit?.limit, decided.limit?.remaining]
}

type Scopes = Pick<LimitClass, 'user' | 'organization'>

/** Windows of a tenth of a second to a second, for a clock that is moved by hand. */
function shortened(scopes: { readonly [Name in keyof Scopes]: Partial<Scopes[Name]> }) {
  const shorten = ({ window, ...rest }: Partial<LimitClass['user']>) => ({
    ...rest,
    ...(window && { window: { ...window, windowMs: window.windowMs / 600 } }),
  })
  return { user: shorten(scopes.user), organization: shorten(scopes.organization) }
}
