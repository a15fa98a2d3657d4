import type { Lease } from './leases.ts'

/** What Redis is to be told about leases: which were given back, and which are held. */
export type LeaseChanges = {
  /** A lease was given back. */
  readonly release: (lease: Lease) => void
  /** A lease that Redis granted, or may have granted, is to be kept from lapsing. */
  readonly renew: (lease: Lease) => void
  /** A held lease of which Redis was never told is to be entered. */
  readonly enter: (lease: Lease) => void
  /** Take out up to so many of each, to be sent. */
  readonly take: (max: number) => TakenChanges
  /** Sending failed. */
  readonly putBack: (taken: TakenChanges) => void
  readonly isEmpty: () => boolean
  readonly health: () => LeaseChangesHealth
}

export type LeaseChangesHealth = {
  /** Leases given back of which Redis was not told yet. */
  readonly pendingReleases: number
  /** Those of which it never will be, since there were too many: they lapse. */
  readonly droppedReleases: number
}

type TakenChanges = {
  readonly releases: readonly Lease[]
  readonly renewals: readonly Lease[]
}

/** Releases kept while Redis is away. The leases of dropped ones lapse by themselves. */
const maxPendingReleases = 65_536

export function createLeaseChanges(): LeaseChanges {
  // Not a Set: it changes with every request, see `createRoster`.
  const releases: Lease[] = []
  const renewals = new Set<Lease>()
  const neverSent = new WeakSet<Lease>()
  let droppedReleases = 0

  return {
    release(lease) {
      renewals.delete(lease)
      if (!neverSent.has(lease)) keep(lease)
    },
    renew(lease) {
      renewals.add(lease)
    },
    enter(lease) {
      neverSent.add(lease)
      renewals.add(lease)
    },
    take(max) {
      const taken = { releases: releases.splice(0, max), renewals: takeFrom(renewals, max) }
      for (const lease of taken.renewals) neverSent.delete(lease)
      return taken
    },
    putBack(taken) {
      taken.releases.forEach(keep)
      // Those given back in the meantime are among the releases.
      for (const lease of taken.renewals) if (lease.isHeld) renewals.add(lease)
    },
    isEmpty: () => releases.length === 0 && renewals.size === 0,
    health: () => ({ pendingReleases: releases.length, droppedReleases }),
  }

  function keep(lease: Lease): void {
    if (releases.length < maxPendingReleases) releases.push(lease)
    else droppedReleases += 1
  }
}

function takeFrom(leases: Set<Lease>, max: number): readonly Lease[] {
  const taken: Lease[] = []
  for (const lease of leases) {
    if (taken.length === max) break
    leases.delete(lease)
    taken.push(lease)
  }
  return taken
}
