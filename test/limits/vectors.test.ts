import { setTimeout as pause } from 'node:timers/promises'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { AdmissionControl } from '../../src/limits/admission.ts'
import { fieldsOf, limitClass, openAdmission, shareRedis, verdictOf } from './fixtures.ts'

const Scope = z.strictObject({
  window: z
    .strictObject({
      requests: z.int(),
      windowMs: z.int(),
      isSliding: z.boolean().exactOptional(),
    })
    .exactOptional(),
  concurrent: z.int().exactOptional(),
})
const Step = z.union([
  z.strictObject({ atMs: z.int(), release: z.string() }),
  z.strictObject({
    atMs: z.int(),
    user: z.string().default('u-1'),
    organization: z.string().default('o-1'),
    cost: z.int().default(1),
    /** Keep the permit under this name; otherwise it is given back at once. */
    hold: z.string().optional(),
    verdict: z.string(),
    fields: z.record(z.string(), z.int()),
  }),
])
const Vector = z.strictObject({
  title: z.string(),
  user: Scope,
  organization: Scope,
  steps: z.array(Step),
})
type Vector = z.infer<typeof Vector>

const vectors = z
  .array(Vector)
  .parse(JSON.parse(readFileSync(new URL('vectors.json', import.meta.url), 'utf8')))

/** Take a vector's steps, each at its time, and compare what comes of them. */
async function follow(
  { user, organization, steps }: Vector,
  admission: AdmissionControl,
  waitUntil: (atMs: number) => void | Promise<void>,
): Promise<void> {
  const limits = limitClass({ user, organization })
  const costing = new Map([[1, limits]])
  const classOf = (cost: number) => {
    const known = costing.get(cost) ?? { ...limits, cost }
    costing.set(cost, known)
    return known
  }
  const permits = new Map<string, () => void>()
  for (const [i, step] of steps.entries()) {
    await waitUntil(step.atMs)
    if ('release' in step) {
      permits.get(step.release)?.()
      continue
    }
    const decided = await admission.admit({
      organizationId: step.organization,
      principalId: step.user,
      limitClass: classOf(step.cost),
    })
    expect({ verdict: verdictOf(decided), fields: fieldsOf(decided) }, `step ${i}`).toEqual({
      verdict: step.verdict,
      fields: step.fields,
    })
    if (decided.kind !== 'admitted') continue
    if (step.hold === undefined) decided.permit.release()
    else permits.set(step.hold, decided.permit.release)
  }
}

describe('in this process', () => {
  it.each(vectors)('$title', async (vector) => {
    let now = 0
    const admission = openAdmission(undefined, { now: () => now, wallClock: () => now })
    await follow(vector, admission, (atMs) => {
      now = atMs
    })
  })
})

describe('in Redis', () => {
  const shared = shareRedis()

  // Redis goes by its own clock, so these wait for it: all at once, each under keys of its own.
  it.concurrent.each(vectors)('$title', async (vector) => {
    const admission = openAdmission(shared.redis)
    const start = performance.now()
    await follow(vector, admission, (atMs) => pause(Math.max(0, start + atMs - performance.now())))
    await admission.close()
  })
})
