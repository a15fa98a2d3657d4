import type { Session } from './database.ts'
import {
  countChange,
  readCounts,
  releaseReservation,
  renewReservation,
  reserveOne,
} from './sql/resource-counts.ts'

/** Whose resources are counted, and by which quota. */
export type CountOwner = {
  /** An organization's id, or a partner's. */
  readonly organizationId: string
  /** Undefined: all of the organization are counted together. */
  readonly principalId: string | undefined
  readonly quota: string
}

/**
 * How many resources callers have: the record that quotas go by. Every call rejects with
 * DIRECTORY_UNAVAILABLE where the database does not answer; it may have been done all the same.
 */
export type ResourceCounts = {
  /**
   * Keep a place for a resource that is about to be created. Those that are there and those that
   * are reserved never exceed the limit, whoever asks at the same time.
   *
   * @param id of the reservation, chosen by who asks
   * @param leaseMs after this time it lapses
   * @returns how many there are with it, or undefined where there is no room
   */
  readonly reserve: (
    owner: CountOwner,
    id: string,
    limit: number,
    leaseMs: number,
  ) => Promise<number | undefined>
  /** Keep a reservation from lapsing. One that is not there is not made. */
  readonly renew: (owner: CountOwner, id: string, leaseMs: number) => Promise<void>
  readonly release: (owner: CountOwner, id: string) => Promise<void>
  /**
   * Count what was created (1) or deleted (-1), never below 0. Telling it again counts nothing.
   *
   * @param id of the reservation, where there was one; it goes, whether it has lapsed or not
   * @returns how many there are now, or undefined where it was counted before
   */
  readonly count: (owner: CountOwner, id: string, change: 1 | -1) => Promise<number | undefined>
  /** What an organization has, and a principal of it: by the names of quotas. */
  readonly read: (organizationId: string, principalId: string) => Promise<CountsOfCaller>
}

/** By the names of quotas; what is not there is 0. */
export type CountsOfCaller = {
  readonly organization: ReadonlyMap<string, number>
  readonly user: ReadonlyMap<string, number>
}

export function keepResourceCounts(session: Session): ResourceCounts {
  return {
    reserve: async (owner, id, limit, leaseMs) => {
      const reservation = [id, leaseMs / 1_000, limit] as const
      const [row] = await session.query(reserveOne, ...columnsOf(owner), ...reservation)
      return row?.occupied
    },
    renew: async (owner, id, leaseMs) => {
      await session.query(renewReservation, ...placeOf(owner), id, leaseMs / 1_000)
    },
    release: async (owner, id) => {
      await session.query(releaseReservation, ...placeOf(owner), id)
    },
    count: async (owner, id, change) => {
      const [row] = await session.query(countChange, ...columnsOf(owner), id, change)
      return row?.used
    },
    read: async (organizationId, principalId) => {
      const rows = await session.query(readCounts, organizationId, ['', principalId])
      const of = (id: string): ReadonlyMap<string, number> =>
        new Map(rows.flatMap((row) => (row.principal_id === id ? [[row.quota, row.used]] : [])))
      return { organization: of(''), user: of(principalId) }
    },
  }
}

function placeOf({ organizationId, principalId = '', quota }: CountOwner) {
  return [organizationId, principalId, quota] as const
}

function columnsOf(owner: CountOwner) {
  const [id, ...rest] = placeOf(owner)
  return id.startsWith('partner-')
    ? ([undefined, id, ...rest] as const)
    : ([id, undefined, ...rest] as const)
}
