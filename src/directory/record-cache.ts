import { isDeepStrictEqual } from 'node:util'
import { GatewayError } from '../errors/gateway-error.ts'
import { isUnavailability, type Availability } from './availability.ts'

/** How many records of a kind are remembered, and for how long after they were read. */
export type CacheLimits = {
  /** Of records that exist; as many ids that do not exist are remembered besides. */
  readonly maxEntries: number
  /** After this a record is read again. A change is told at once; this is for one that was not told. */
  readonly maxAgeMs: number
  /** While the database is away, counted from when the record was last read. */
  readonly staleMs: number
  /** For ids that do not exist. */
  readonly negativeMs: number
}

/** What a look-up answers: without a promise where it is at hand. */
export type Found<Value> = Value | Promise<Value>

export type RecordCache<CachedRecord> = {
  /**
   * The record with an id. Look-ups of one id under way at the same time are one. The answer is the
   * same object for as long as nothing changes, however often it is read again meanwhile.
   *
   * @throws {GatewayError} DIRECTORY_UNAVAILABLE, thrown or rejected
   */
  readonly find: (id: string) => Found<CachedRecord | undefined>
  /** The record has changed: what is known of it is not used again, not even in an outage. */
  readonly forget: (id: string) => void
  /** Any record may have changed: each is read again before it is used again, unless in an outage. */
  readonly distrust: () => void
  /** Since the start. */
  readonly counts: () => LookUpCounts
}

/** How look-ups were answered. */
export type LookUpCounts = {
  /** From memory, also where it says that there is no such record. */
  readonly remembered: number
  /** By the database, or by a look-up of it that was under way. */
  readonly asked: number
  /** From memory that is too old, or not at all, because the database does not answer. */
  readonly withoutDatabase: number
}

type Parts<CachedRecord> = {
  /** Read a record. Rejects with DIRECTORY_UNAVAILABLE where the database does not answer. */
  readonly lookUp: (id: string) => Promise<CachedRecord | undefined>
  readonly availability: Availability
  readonly limits: CacheLimits
  /** Milliseconds on a clock that only goes forward. */
  readonly now: () => number
}

type Entry<CachedRecord> = {
  /** Beside the record, so that this code sees one shape whatever kinds of records there are. */
  readonly id: string
  readonly record: CachedRecord
  readonly readAtMs: number
  readonly epoch: number
  /** Since it was last passed over when room was needed. */
  isUsed: boolean
}

/** Look-ups of one kind under way at the same time, at most; more are refused rather than queued. */
const maxLookUps = 1000

/**
 * Remember records of one kind. When room is needed, the oldest goes that was not used since it was
 * last passed over (second chance): moving an entry at every use would have V8 replace the table of
 * the map again and again.
 */
export function createRecordCache<CachedRecord>(
  parts: Parts<CachedRecord>,
): RecordCache<CachedRecord> {
  const { lookUp, availability, limits, now } = parts
  const entries = new Map<string, Entry<CachedRecord>>()
  /** When each id was last found not to exist. */
  const absences = new Map<string, number>()
  const lookUps = new Map<string, Promise<CachedRecord | undefined>>()
  /** Counts distrust: an entry of an earlier epoch is kept for outages only. */
  let epoch = 0
  const counts = { remembered: 0, asked: 0, withoutDatabase: 0 }

  return {
    find,
    counts: () => ({ ...counts }),
    forget: (id) => {
      entries.delete(id)
      absences.delete(id)
      lookUps.delete(id)
    },
    distrust: () => {
      epoch++
      absences.clear()
      lookUps.clear()
    },
  }

  function find(id: string): Found<CachedRecord | undefined> {
    const entry = entries.get(id)
    if (entry?.epoch === epoch && now() - entry.readAtMs <= limits.maxAgeMs) {
      entry.isUsed = true
      counts.remembered += 1
      return entry.record
    }
    const absentSinceMs = absences.get(id)
    if (absentSinceMs !== undefined && now() - absentSinceMs <= limits.negativeMs) {
      counts.remembered += 1
      return undefined
    }
    if (availability.isDown())
      return withoutDatabase(id, new Error('the directory does not answer'))
    return ask(id)
  }

  /** Nobody waits for a database that is away. */
  function withoutDatabase(id: string, cause: unknown): CachedRecord {
    counts.withoutDatabase += 1
    const entry = entries.get(id)
    if (entry === undefined || now() - entry.readAtMs > limits.staleMs)
      throw new GatewayError('DIRECTORY_UNAVAILABLE', { cause })
    return entry.record
  }

  function ask(presented: string): Found<CachedRecord | undefined> {
    counts.asked += 1
    const underWay = lookUps.get(presented)
    if (underWay !== undefined) return underWay
    if (lookUps.size >= maxLookUps)
      return withoutDatabase(presented, new Error('too many look-ups are under way'))
    const id = copyOf(presented)
    const readAtMs = now()
    const answer = lookUp(id).then(
      (record) => {
        availability.succeeded()
        return isCurrent() ? remember(id, record, readAtMs) : record
      },
      (cause: unknown) => {
        if (isCurrent()) lookUps.delete(id)
        // What else can fail is a bug about this record, and says nothing about the others.
        if (!isUnavailability(cause)) throw cause
        availability.failed(cause)
        return withoutDatabase(id, cause)
      },
    )
    // A look-up that began before a change may have read what was before the change. It answers
    // those who asked before the change, and is neither joined nor remembered after it.
    const isCurrent = (): boolean => lookUps.get(id) === answer
    lookUps.set(id, answer)
    return answer
  }

  function remember(
    id: string,
    read: CachedRecord | undefined,
    readAtMs: number,
  ): CachedRecord | undefined {
    lookUps.delete(id)
    absences.delete(id)
    if (read === undefined) {
      entries.delete(id)
      absences.set(id, readAtMs)
      dropOldAbsences()
      return undefined
    }
    const known = entries.get(id)?.record
    const record = isDeepStrictEqual(known, read) ? (known ?? read) : read
    makeNewest({ id, record, readAtMs, epoch, isUsed: false })
    makeRoom()
    return record
  }

  /** A Map keeps the order of insertion. */
  function makeNewest(entry: Entry<CachedRecord>): void {
    entries.delete(entry.id)
    entries.set(entry.id, entry)
  }

  function makeRoom(): void {
    if (entries.size <= limits.maxEntries) return
    for (const entry of entries.values()) {
      if (!entry.isUsed) {
        entries.delete(entry.id)
        return
      }
      // It comes again after all others, unused by then, so this ends.
      entry.isUsed = false
      makeNewest(entry)
    }
  }

  /** Anybody can make up ids, so those that are of no use any more go at once. */
  function dropOldAbsences(): void {
    for (const [id, sinceMs] of absences) {
      if (absences.size <= limits.maxEntries && now() - sinceMs <= limits.negativeMs) return
      absences.delete(id)
    }
  }
}

/**
 * A presented id is a slice of what came with it, and as the key of a map would keep the caller's
 * secret in memory.
 */
function copyOf(id: string): string {
  return Buffer.from(id).toString()
}
