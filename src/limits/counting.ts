import { randomBytes } from 'node:crypto'
import type { FindOverride } from './applicable-limits.ts'
import type { Counted, CountedQuota } from './counted.ts'
import type { Log } from './limits-log.ts'
import { oneAtATime } from './one-at-a-time.ts'
import { createSettlements, type RecordCounts } from './settlements.ts'
import { passedPart } from './usage-warnings.ts'

/** A request that counts, from before it is forwarded until its upstream has answered. */
export type Counting = {
  /**
   * The upstream has answered, and is not asked again: a 2xx counts, anything else gives the
   * reservations back.
   */
  readonly answered: (status: number) => void
  /** The request is over; where no answer came, the reservations are given back. */
  readonly ended: () => void
  /** Names of shadow quotas that would have refused it. */
  readonly wouldDeny: readonly string[]
}

/** A counted quota that has no room. */
export type CountRefusal = { readonly quota: CountedQuota; readonly limit: number }

/**
 * Begin to count a request: a place is reserved of each quota that it creates one of.
 *
 * @returns at once where nothing is to be reserved
 * @throws {GatewayError} rejected with DIRECTORY_UNAVAILABLE, where the record cannot be asked and a
 *   quota says that nothing is created without it
 */
export type BeginCounting = (
  counted: Counted,
  caller: { readonly organizationId: string; readonly principalId: string },
) => Counting | Promise<Counting | CountRefusal>

/** The counted quotas of a process. */
export type CountingControl = {
  readonly begin: BeginCounting
  readonly health: () => CountingHealth
  /** Tell the record what it was not told yet. */
  readonly close: () => Promise<void>
}

type CountingHealth = {
  /** Degraded: some of what was created or deleted is not in the record yet. */
  readonly state: 'up' | 'degraded'
  /** Creations that found no room. */
  readonly refused: number
  /** Creations that passed, though a quota in shadow mode had no room. */
  readonly shadowed: number
  /** Creations that were decided though the record could not be asked. */
  readonly withoutRecord: {
    readonly admitted: number
    /** Answered 503. */
    readonly unavailable: number
  }
  /** Reservations of requests whose upstream has not answered. */
  readonly reserved: number
  /** Changes that the record could not be told yet. */
  readonly untold: number
  /** Changes that it never will be told, since there were too many. */
  readonly dropped: number
}

type Parts = {
  readonly record: RecordCounts
  /** Limits of callers that are not the configured ones. */
  readonly overrides: () => FindOverride
  /** After this time the reservations of a process that died are free again. */
  readonly leaseMs: number
  readonly log: Log
}

type Caller = Parameters<BeginCounting>[1]

/**
 * Count resources. The record is a database and not Redis, for what is counted is there until it is
 * deleted: no flush may forget it. Requests that create are few, so one statement more for each is
 * no matter; no other request is asked anything here.
 */
export function createCounting({ overrides, leaseMs, log, ...parts }: Parts): CountingControl {
  const record = oneAtATime(parts.record)
  const processId = randomBytes(12).toString('base64url')
  const settlements = createSettlements({ record, leaseMs, log })
  let begun = 0
  let refused = 0
  let shadowed = 0
  const withoutRecord = { admitted: 0, unavailable: 0 }

  return {
    begin(counted, caller) {
      return counted.creates.length === 0
        ? counting(counted, caller, newId(), [], [])
        : reserveAll(counted, caller, newId())
    },
    health: () => {
      const settled = settlements.health()
      const state = settled.untold === 0 ? 'up' : 'degraded'
      return { state, refused, shadowed, withoutRecord: { ...withoutRecord }, ...settled }
    },
    close: settlements.close,
  }

  function newId(): string {
    begun += 1
    return `${processId}-${begun.toString(36)}`
  }

  async function reserveAll(
    counted: Counted,
    caller: Caller,
    id: string,
  ): Promise<Counting | CountRefusal> {
    const reserved: CountedQuota[] = []
    const wouldDeny: string[] = []
    let isUnknown = false
    const giveBack = (): void => {
      for (const quota of reserved) settlements.release(ownerOf(quota, caller), idOf(quota, id))
    }
    for (const quota of counted.creates) {
      const limit = limitOf(quota, caller)
      const outcome = await reserveOne(quota, caller, idOf(quota, id), limit).catch(
        (error: unknown) => {
          giveBack()
          withoutRecord.unavailable += 1
          throw error
        },
      )
      if (outcome === 'reserved') reserved.push(quota)
      else if (outcome === 'unknown') isUnknown = true
      else if (quota.isShadow) wouldDeny.push(quota.name)
      else {
        giveBack()
        refused += 1
        return { quota, limit }
      }
    }
    if (isUnknown) withoutRecord.admitted += 1
    if (wouldDeny.length > 0) shadowed += 1
    return counting(counted, caller, id, reserved, wouldDeny)
  }

  async function reserveOne(
    quota: CountedQuota,
    caller: Caller,
    id: string,
    limit: number,
  ): Promise<'reserved' | 'full' | 'unknown'> {
    const owner = ownerOf(quota, caller)
    try {
      const occupied = await record.reserve(owner, id, limit, leaseMs)
      if (occupied === undefined) return 'full'
      settlements.hold(owner, id)
      return 'reserved'
    } catch (error) {
      // It may have been reserved all the same.
      settlements.release(owner, id)
      if (quota.whenUnavailable === 'refuse' && !quota.isShadow) throw error
      return 'unknown'
    }
  }

  function counting(
    { creates, deletes }: Counted,
    caller: Caller,
    id: string,
    reserved: readonly CountedQuota[],
    wouldDeny: readonly string[],
  ): Counting {
    let isSettled = false
    const giveBack = (): void => {
      if (!isSettled)
        for (const quota of reserved) settlements.release(ownerOf(quota, caller), idOf(quota, id))
      isSettled = true
    }
    return {
      wouldDeny,
      answered(status) {
        if (status < 200 || status > 299) {
          giveBack()
          return
        }
        // Also where the request had ended: what was created is there.
        isSettled = true
        for (const quota of creates)
          settlements.count(ownerOf(quota, caller), idOf(quota, id), 1, (used) => {
            warn(quota, caller, used)
          })
        for (const quota of deletes) settlements.count(ownerOf(quota, caller), idOf(quota, id), -1)
      },
      ended: giveBack,
    }
  }

  function limitOf({ scope, name, limit }: CountedQuota, caller: Caller): number {
    const principalId = scope === 'user' ? caller.principalId : undefined
    return overrides()(caller.organizationId, principalId, name) ?? limit
  }

  function warn(quota: CountedQuota, caller: Caller, used: number): void {
    const allowed = limitOf(quota, caller)
    const percent = passedPart(allowed, quota.warnAtPercent, used - 1, used)
    if (percent === undefined) return
    const use = { limit: quota.name, scope: quota.scope, ...caller, percent, used, allowed }
    log.warn(use, 'a limit is used up to a part that was to be told')
  }
}

/** A request may count in several quotas, and is told to each by itself. */
function idOf({ name }: CountedQuota, requestId: string): string {
  return `${requestId}:${name}`
}

function ownerOf({ scope, name }: CountedQuota, { organizationId, principalId }: Caller) {
  return {
    organizationId,
    principalId: scope === 'user' ? principalId : undefined,
    quota: name,
  }
}
