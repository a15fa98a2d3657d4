import { GatewayError } from '../errors/gateway-error.ts'
import { repeat } from '../periodic/repeat.ts'
import type { Log } from './limits-log.ts'

/** Whose resources are counted, and by which quota. */
export type CountOwner = {
  readonly organizationId: string
  /** Undefined: all of the organization are counted together. */
  readonly principalId: string | undefined
  readonly quota: string
}

/**
 * The record of counts, as this folder needs it. Each call rejects where the record does not answer,
 * and may have been done all the same; telling it again does nothing more.
 */
export type RecordCounts = {
  /** @returns how many there are with this one, or undefined where there is no room */
  readonly reserve: (
    owner: CountOwner,
    id: string,
    limit: number,
    leaseMs: number,
  ) => Promise<number | undefined>
  readonly renew: (owner: CountOwner, id: string, leaseMs: number) => Promise<void>
  readonly release: (owner: CountOwner, id: string) => Promise<void>
  /** @returns how many there are now, or undefined where it was counted before */
  readonly count: (owner: CountOwner, id: string, change: 1 | -1) => Promise<number | undefined>
}

/** What becomes of reservations: the record is told, again and again until it has heard it. */
export type Settlements = {
  /** Keep a reservation from lapsing until it is released or counted. */
  readonly hold: (owner: CountOwner, id: string) => void
  readonly release: (owner: CountOwner, id: string) => void
  /** @param onCounted told how many there are now, unless it was counted before */
  readonly count: (
    owner: CountOwner,
    id: string,
    change: 1 | -1,
    onCounted?: (used: number) => void,
  ) => void
  readonly health: () => {
    readonly reserved: number
    readonly untold: number
    readonly dropped: number
  }
  readonly close: () => Promise<void>
}

type Parts = {
  readonly record: RecordCounts
  readonly leaseMs: number
  readonly log: Log
}

/** Kept while the record is away. Reservations of which it is not told lapse by themselves. */
const maxUntold = 65_536

/** Tellings at a time, once the record is back. */
const maxAtOnce = 4

/** Reservations are renewed, and the record is told again, this often within the time of a lapse. */
const roundsPerLease = 3

export function createSettlements({ record, leaseMs, log }: Parts): Settlements {
  const held = new Map<string, () => Promise<void>>()
  const untold = new Set<() => Promise<void>>()
  const underWay = new Set<Promise<void>>()
  let dropped = 0
  const rounds = repeat({ intervalMs: leaseMs / roundsPerLease, ref: false }, renewAndTell)

  return {
    hold(owner, id) {
      held.set(keyOf(owner, id), () => record.renew(owner, id, leaseMs))
    },
    release(owner, id) {
      held.delete(keyOf(owner, id))
      tell(() => record.release(owner, id))
    },
    count(owner, id, change, onCounted) {
      held.delete(keyOf(owner, id))
      tell(async () => {
        const used = await record.count(owner, id, change)
        if (used !== undefined) onCounted?.(used)
      })
    },
    health: () => ({ reserved: held.size, untold: untold.size, dropped }),
    async close() {
      await rounds.close()
      await Promise.all(underWay)
      await tellAgain()
    },
  }

  function tell(say: () => Promise<void>): void {
    const telling = say()
      .catch((err: unknown) => {
        keep(say, err)
      })
      .finally(() => underWay.delete(telling))
    underWay.add(telling)
  }

  function keep(say: () => Promise<void>, err: unknown): void {
    if (isGone(err)) return
    if (untold.size === 0) log.warn({ err }, 'counts cannot be recorded; it is tried again')
    if (untold.size < maxUntold) untold.add(say)
    else dropped += 1
  }

  async function renewAndTell(): Promise<void> {
    await each([...held.values()], (renew) => renew().catch(() => undefined))
    await tellAgain()
  }

  async function tellAgain(): Promise<void> {
    const [first, ...rest] = untold
    // While the record is away, one of them finds that out.
    if (first === undefined || !(await isTold(first))) return
    await each(rest, async (say) => {
      await isTold(say)
    })
  }

  async function isTold(say: () => Promise<void>): Promise<boolean> {
    try {
      await say()
    } catch (error) {
      if (!isGone(error)) return false
    }
    untold.delete(say)
    return true
  }
}

/** Its organization is: nobody asks for its counts any more. */
function isGone(error: unknown): boolean {
  return error instanceof GatewayError && error.code !== 'DIRECTORY_UNAVAILABLE'
}

async function each<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const rest = items[Symbol.iterator]()
  const worker = async (): Promise<void> => {
    for (const item of rest) await work(item)
  }
  await Promise.all(Array.from({ length: maxAtOnce }, worker))
}

function keyOf({ principalId, quota }: CountOwner, id: string): string {
  return `${id}\n${quota}\n${principalId ?? ''}`
}
