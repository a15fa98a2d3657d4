import type { ApplicableLimits, SlotLimit, WindowLimit } from './applicable-limits.ts'
import type { Lease } from './leases.ts'
import type { Verdict } from './verdict.ts'

/** One request that is to be decided, and the lease it is to hold where it is admitted. */
export type Question = { readonly limits: ApplicableLimits; readonly lease: Lease }

/** What one call of `lua/admit.lua` carries. */
export type Batch = {
  readonly questions: readonly Question[]
  readonly releases: readonly Lease[]
  readonly renewals: readonly Lease[]
}

/** KEYS and ARGV of `lua/admit.lua`, as its header says. */
export type ScriptInput = {
  readonly keys: readonly string[]
  readonly args: readonly string[]
  /** The place of each window's key, from 1. */
  readonly windowPlaces: ReadonlyMap<string, number>
}

/** Give each key of a batch one place, however many requests share it. */
export function encodeBatch(batch: Batch, leaseMs: number): ScriptInput {
  const windows = new Map<string, number>()
  const slots = new Map<string, number>()
  const windowNumbers: (number | string)[] = []
  const slotNumbers: number[] = []
  const sliding: number[] = []

  const windowPlace = ({ key, requests, windowMs, kind }: WindowLimit): number => {
    const known = windows.get(key)
    if (known !== undefined) return known
    windows.set(key, windows.size + 1)
    windowNumbers.push(requests, kind === 'fixed' || kind === 'sliding' ? windowMs : kind)
    if (kind === 'sliding') sliding.push(windows.size)
    return windows.size
  }
  const slotPlace = ({ key, concurrent }: SlotLimit): number => {
    const known = slots.get(key)
    if (known !== undefined) return known
    slots.set(key, slots.size + 1)
    slotNumbers.push(concurrent)
    return slots.size
  }

  const admissions = batch.questions.map(({ limits, lease }) => {
    const admission: (string | number)[] = [lease.id, limits.windows.length]
    for (const window of limits.windows) admission.push(windowPlace(window))
    for (const slot of limits.slots) admission.push(slotPlace(slot))
    return admission
  })
  const { questions } = batch
  const costs = questions.some(({ limits }) => limits.cost !== 1) && questions.map(costOf)
  const hasShadows = questions.some(({ limits }) => limits.shadow !== undefined)
  const shadows = hasShadows && shadowsOf(questions, windowPlace, slotPlace)
  // Behind the questions, for a lease knows the limit that its slot had when it was taken.
  const releases = leasesBySlot(batch.releases, slotPlace)
  const renewals = leasesBySlot(batch.renewals, slotPlace)
  const content: unknown[] = [leaseMs, windowNumbers, slotNumbers, releases, renewals, admissions]
  // Most batches have none of these, and say nothing about them.
  if (costs || shadows || sliding.length > 0) content.push(costs, sliding, shadows)
  return {
    keys: [...windows.keys(), ...slots.keys()],
    args: [JSON.stringify(content)],
    windowPlaces: windows,
  }
}

function costOf({ limits }: Question): number {
  return limits.cost
}

function shadowsOf(
  questions: readonly Question[],
  windowPlace: (window: WindowLimit) => number,
  slotPlace: (slot: SlotLimit) => number,
): readonly (false | readonly number[])[] {
  return questions.map(({ limits: { shadow } }) => {
    if (shadow === undefined) return false
    const { windows, slots } = shadow
    return [windows.length, ...windows.map(windowPlace), ...slots.map(slotPlace)]
  })
}

function leasesBySlot(
  leases: readonly Lease[],
  slotPlace: (slot: SlotLimit) => number,
): readonly (readonly (number | string)[])[] {
  const bySlot = new Map<number, (number | string)[]>()
  for (const { id, slots } of leases) {
    for (const slot of slots) {
      const place = slotPlace(slot)
      const entry = bySlot.get(place)
      if (entry === undefined) bySlot.set(place, [place, id])
      else entry.push(id)
    }
  }
  return [...bySlot.values()]
}

/**
 * Read what `lua/admit.lua` returned: the verdicts, in the order of the questions.
 *
 * @throws {RangeError} where the reply is not one to these questions
 */
export function decodeReply(
  questions: readonly Question[],
  windowPlaces: ReadonlyMap<string, number>,
  reply: readonly number[],
): readonly Verdict[] {
  let at = windowPlaces.size
  const next = (): number => {
    const value = reply[at]
    if (value === undefined) throw new RangeError('The script returned too little')
    at += 1
    return value
  }
  const msToReset = ({ key, kind }: WindowLimit): number =>
    kind === 'sliding' ? next() : (reply[(windowPlaces.get(key) ?? 0) - 1] ?? 0)
  return questions.map(({ limits }): Verdict => {
    const denial = next()
    const windows = limits.windows.map((window) => ({
      remaining: next(),
      msToReset: msToReset(window),
    }))
    if (denial !== 0) return { deniedBy: denial - 1, windows }
    return { deniedBy: undefined, windows, wouldDeny: wouldDeny(limits, next) }
  })
}

/** The names of the shadow limits that would have denied; undefined where there are none. */
function wouldDeny(
  { shadow }: ApplicableLimits,
  next: () => number,
): readonly string[] | undefined {
  if (shadow === undefined) return undefined
  const names = [...shadow.windows, ...shadow.slots].flatMap(({ name }) =>
    next() === 1 ? name : [],
  )
  return names.length > 0 ? names : undefined
}
