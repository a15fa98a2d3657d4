import type { SlotLimit } from './applicable-limits.ts'
import { nothingHeld, type Permit } from './outcome.ts'
import { createRoster } from './roster.ts'

/**
 * A request's claim to its slots. Its id is chosen here and not by Redis, so that a claim can be
 * given back even where the answer to it never came.
 */
export type Lease = {
  readonly id: string
  /** Monotonic milliseconds. */
  readonly createdAtMs: number
  readonly slots: readonly SlotLimit[]
  /** From when it is held until its permit is released; set here alone. */
  isHeld: boolean
}

/** Below this many slot keys, looking for those that nobody takes is not worth it. */
const fewSlots = 1_024

/** The leases that this process holds. */
export type Leases = {
  /** A lease that is not held yet. */
  readonly create: (slots: readonly SlotLimit[]) => Lease
  /** Hold a lease from now until its permit is released. */
  readonly hold: (lease: Lease) => Permit
  readonly held: () => readonly Lease[]
  readonly count: () => number
  /** How many held leases take a slot of this key. */
  readonly occupied: (slotKey: string) => number
}

type Parts = {
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** Tells the leases of this process from those of every other; all have the same length. */
  readonly processId: string
  /** Hears of each lease that is given back. */
  readonly onRelease: (lease: Lease) => void
}

/** Keep the leases of this process. */
export function createLeases({ now, processId, onRelease }: Parts): Leases {
  const held = createRoster<Lease>()
  const occupancy = new Map<string, number>()
  let sweepAbove = fewSlots
  let created = 0

  return {
    create(slots) {
      created += 1
      const id = `${processId}${created.toString(36)}`
      return { id, createdAtMs: now(), slots, isHeld: false }
    },
    hold(lease) {
      if (lease.slots.length === 0) return nothingHeld
      const place = held.enter(lease)
      lease.isHeld = true
      for (const { key } of lease.slots) occupancy.set(key, (occupancy.get(key) ?? 0) + 1)
      return {
        release: () => {
          if (!lease.isHeld) return
          lease.isHeld = false
          held.leave(place)
          lease.slots.forEach(vacate)
          sweep()
          onRelease(lease)
        },
      }
    },
    held: held.members,
    count: held.count,
    occupied: (slotKey) => occupancy.get(slotKey) ?? 0,
  }

  function vacate({ key }: SlotLimit): void {
    occupancy.set(key, (occupancy.get(key) ?? 1) - 1)
  }

  /** Keys come back, and to drop and enter them all the time costs more than they take. */
  function sweep(): void {
    if (occupancy.size <= sweepAbove) return
    for (const [key, count] of occupancy) if (count === 0) occupancy.delete(key)
    sweepAbove = Math.max(fewSlots, 2 * occupancy.size)
  }
}
