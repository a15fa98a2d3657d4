import { GatewayError } from '../errors/gateway-error.ts'
import type { Availability } from './availability.ts'
import type { KeyRecord } from './key-record.ts'

/** How many keys are remembered, and for how long after they were read. */
export type CacheLimits = {
  /** Of keys that exist; as many ids that do not exist are remembered besides. */
  readonly maxEntries: number
  /** After this a key is read again. A change is told at once; this is for one that was not told. */
  readonly maxAgeMs: number
  /** While the database is away, counted from when the key was last read. */
  readonly staleMs: number
  /** For ids that do not exist. */
  readonly negativeMs: number
}

export type KeyCache = {
  /**
   * The record of a key; without a promise where it is at hand. Look-ups of one key under way at
   * the same time are one.
   *
   * @throws {GatewayError} DIRECTORY_UNAVAILABLE, thrown or rejected
   */
  readonly find: (keyId: string) => KeyRecord | undefined | Promise<KeyRecord | undefined>
  /** The key has changed: what is known of it is not used again, not even in an outage. */
  readonly forget: (keyId: string) => void
  /** Any key may have changed: each is read again before it is used again, unless in an outage. */
  readonly distrust: () => void
}

type Parts = {
  /** Read a key. Rejects with DIRECTORY_UNAVAILABLE where the database does not answer. */
  readonly lookUp: (keyId: string) => Promise<KeyRecord | undefined>
  readonly availability: Availability
  readonly limits: CacheLimits
  /** Milliseconds on a clock that only goes forward. */
  readonly now: () => number
}

type Entry = { readonly record: KeyRecord; readonly readAtMs: number; readonly epoch: number }

/** Look-ups under way at the same time, at most; more are refused rather than queued. */
const maxLookUps = 1000

/** Remember keys, the least recently used of which go first. */
export function createKeyCache({ lookUp, availability, limits, now }: Parts): KeyCache {
  const entries = new Map<string, Entry>()
  /** When each id was last found not to exist. */
  const absences = new Map<string, number>()
  const lookUps = new Map<string, Promise<KeyRecord | undefined>>()
  /** Counts distrust: an entry of an earlier epoch is kept for outages only. */
  let epoch = 0

  return {
    find,
    forget: (keyId) => {
      entries.delete(keyId)
      absences.delete(keyId)
      lookUps.delete(keyId)
    },
    distrust: () => {
      epoch++
      absences.clear()
      lookUps.clear()
    },
  }

  function find(keyId: string): KeyRecord | undefined | Promise<KeyRecord | undefined> {
    const entry = entries.get(keyId)
    if (entry?.epoch === epoch && now() - entry.readAtMs <= limits.maxAgeMs) {
      makeNewest(entry)
      return entry.record
    }
    const absentSinceMs = absences.get(keyId)
    if (absentSinceMs !== undefined && now() - absentSinceMs <= limits.negativeMs) return undefined
    if (availability.isDown())
      return withoutDatabase(keyId, new Error('the directory does not answer'))
    return ask(keyId)
  }

  /** Nobody waits for a database that is away. */
  function withoutDatabase(keyId: string, cause: unknown): KeyRecord {
    const entry = entries.get(keyId)
    if (entry === undefined || now() - entry.readAtMs > limits.staleMs)
      throw new GatewayError('DIRECTORY_UNAVAILABLE', { cause })
    return entry.record
  }

  function ask(keyId: string): KeyRecord | Promise<KeyRecord | undefined> {
    const underWay = lookUps.get(keyId)
    if (underWay !== undefined) return underWay
    if (lookUps.size >= maxLookUps)
      return withoutDatabase(keyId, new Error('too many look-ups are under way'))
    const readAtMs = now()
    const answer = lookUp(keyId).then(
      (record) => {
        availability.succeeded()
        if (isCurrent()) remember(keyId, record, readAtMs)
        return record
      },
      (cause: unknown) => {
        if (isCurrent()) lookUps.delete(keyId)
        // What else can fail is a bug about this key, and says nothing about the other keys.
        if (!isUnavailability(cause)) throw cause
        availability.failed(cause)
        return withoutDatabase(keyId, cause)
      },
    )
    // A look-up that began before a change may have read what was before the change. It answers
    // those who asked before the change, and is neither joined nor remembered after it.
    const isCurrent = (): boolean => lookUps.get(keyId) === answer
    lookUps.set(keyId, answer)
    return answer
  }

  function remember(keyId: string, record: KeyRecord | undefined, readAtMs: number): void {
    lookUps.delete(keyId)
    if (record === undefined) {
      entries.delete(keyId)
      absences.delete(keyId)
      absences.set(keyId, readAtMs)
      dropOldest(absences)
    } else {
      absences.delete(keyId)
      makeNewest({ record, readAtMs, epoch })
      dropOldest(entries)
    }
  }

  /**
   * A Map keeps the order of insertion, so what was used last stands last. The id is the record's own:
   * the presented one is a slice of what came with it, and would keep the caller's secret in memory.
   */
  function makeNewest(entry: Entry): void {
    entries.delete(entry.record.id)
    entries.set(entry.record.id, entry)
  }

  function dropOldest(map: Map<string, unknown>): void {
    if (map.size <= limits.maxEntries) return
    for (const oldest of map.keys()) {
      map.delete(oldest)
      return
    }
  }
}

function isUnavailability(error: unknown): boolean {
  return error instanceof GatewayError && error.code === 'DIRECTORY_UNAVAILABLE'
}
