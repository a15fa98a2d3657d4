import type { Question } from './batch.ts'
import type { Lease } from './leases.ts'

/** What is to be asked and told, not yet a batch. */
export type Load<Asking extends { readonly question: Question }> = {
  readonly asking: readonly Asking[]
  readonly releases: readonly Lease[]
  readonly renewals: readonly Lease[]
}

/**
 * Part a load by the hash slots of a Redis Cluster, since a script is given keys of one slot only. All
 * keys of a question have one hash tag, and so have all those of a lease.
 */
export function partBySlot<Asking extends { readonly question: Question }>(
  { asking, releases, renewals }: Load<Asking>,
  slotOf: (key: string) => number,
): readonly Load<Asking>[] {
  const slotOfLease = (lease: Lease): number => slotOf(lease.slots[0]?.key ?? '')
  const asked = Map.groupBy(asking, ({ question }) => slotOf(keyOf(question)))
  const released = Map.groupBy(releases, slotOfLease)
  const renewed = Map.groupBy(renewals, slotOfLease)
  const slots = new Set([...asked.keys(), ...released.keys(), ...renewed.keys()])
  return [...slots].map((slot) => ({
    asking: asked.get(slot) ?? [],
    releases: released.get(slot) ?? [],
    renewals: renewed.get(slot) ?? [],
  }))
}

function keyOf({ limits: { windows, slots, shadow } }: Question): string {
  const [first] = [...windows, ...slots, ...(shadow?.windows ?? []), ...(shadow?.slots ?? [])]
  return first?.key ?? ''
}
