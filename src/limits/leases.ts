import type { SlotLimit } from './applicable-limits.ts'
import { nothingHeld, type Permit } from './outcome.ts'

/**
 * A request's claim to its slots. Its id is chosen here and not by Redis, so that a claim can be
 * given back even where the answer to it never came.
 */
export type Lease = {
  readonly id: string
  /** Monotonic milliseconds. */
  readonly createdAtMs: number
  readonly slots: readonly SlotLimit[]
}

/** The leases that this process holds. */
export type Leases = {
  /** A lease that is not held yet. */
  readonly create: (slots: readonly SlotLimit[]) => Lease
  /** Hold a lease from now until its permit is released. */
  readonly hold: (lease: Lease) => Permit
  readonly isHeld: (lease: Lease) => boolean
  readonly held: () => Iterable<Lease>
  readonly count: () => number
  /** How many held leases take a slot of this key. */
  readonly occupied: (slotKey: string) => number
}

type Parts = {
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** Tells the leases of this process from those of every other. */
  readonly processId: string
  /** Hears of each lease that is given back. */
  readonly onRelease: (lease: Lease) => void
}

/** Keep the leases of this process. */
export function createLeases({ now, processId, onRelease }: Parts): Leases {
  const held = new Set<Lease>()
  const occupancy = new Map<string, number>()
  let created = 0

  return {
    create(slots) {
      created += 1
      return { id: `${processId}-${created.toString(36)}`, createdAtMs: now(), slots }
    },
    hold(lease) {
      if (lease.slots.length === 0) return nothingHeld
      held.add(lease)
      for (const { key } of lease.slots) occupancy.set(key, (occupancy.get(key) ?? 0) + 1)
      return {
        release: () => {
          if (!held.delete(lease)) return
          lease.slots.forEach(vacate)
          onRelease(lease)
        },
      }
    },
    isHeld: (lease) => held.has(lease),
    held: () => held,
    count: () => held.size,
    occupied: (slotKey) => occupancy.get(slotKey) ?? 0,
  }

  function vacate({ key }: SlotLimit): void {
    const left = (occupancy.get(key) ?? 0) - 1
    if (left > 0) occupancy.set(key, left)
    else occupancy.delete(key)
  }
}
