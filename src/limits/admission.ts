import { randomBytes } from 'node:crypto'
import type { RedisConnection } from '../redis/connection.ts'
import { createAdmitAddress, type AdmitAddress } from './addresses.ts'
import {
  createFindLimits,
  type FindLimits,
  type FindOverride,
  type Subject,
} from './applicable-limits.ts'
import { createDecisionCounter, type DecisionCounts } from './decision-counts.ts'
import { createInProcessAdmission } from './in-process-admission.ts'
import type { AddressLimit } from './limit-class.ts'
import type { Log } from './limits-log.ts'
import type { Admission } from './outcome.ts'
import { createReadUse, type ReadUse } from './read-use.ts'
import { createRedisAdmission, type RedisHealth } from './redis-admission.ts'
import { createUsageWarnings } from './usage-warnings.ts'

// What the gateway needs to know of limits, it finds here.
export type { AdmitAddress } from './addresses.ts'
export { renewalAfter } from './calendar.ts'
export type { CountedOf } from './counted.ts'
export type { BeginCounting, Counting } from './counting.ts'
export type { LimitClass } from './limit-class.ts'
export { createLimitClassOf, type LimitClassOf } from './operation-class.ts'
export type { Admission, LimitState } from './outcome.ts'

/**
 * Decide whether a request may pass now: every limit that applies to it, all or nothing, so a
 * refused request changes no count. The answer is a promise only where Redis is asked; that Redis
 * is away is never a refusal.
 */
export type Admit = (subject: Subject) => Admission | Promise<Admission>

/** The limits of a process. */
export type AdmissionControl = {
  readonly admit: Admit
  readonly admitAddress: AdmitAddress
  /** Every limit of a request, as it is for its caller; nothing is counted. */
  readonly findLimits: FindLimits
  readonly readUse: ReadUse
  readonly health: () => AdmissionHealth
  /** Tell Redis which leases were given back last. The connection is left to who opened it. */
  readonly close: () => Promise<void>
}

type AdmissionHealth = {
  /** Degraded: Redis is not asked, and this process decides alone. */
  readonly state: 'up' | 'degraded'
  /** Of requests whose caller is known. */
  readonly decisions: DecisionCounts
  /** Admitted requests that hold a slot now. */
  readonly heldLeases: number
  /** Undefined where limits are kept in this process. */
  readonly redis: RedisHealth | undefined
}

export type AdmissionOptions = {
  /** Undefined: limits are kept in this process, for this process. */
  readonly redis: RedisConnection | undefined
  /** Processes that share the limits; each takes an equal share while Redis is away. */
  readonly replicas: number
  /** After this time the slots of a process that died are free again. */
  readonly leaseMs: number
  /** Before all keys in Redis. */
  readonly keyPrefix: string
  readonly unauthenticated: AddressLimit
  /** Limits of callers that are not the configured ones: another object once any has changed. */
  readonly overrides?: () => FindOverride
  /** Whether the `RateLimit` fields are sent. */
  readonly describes?: boolean
  readonly log: Log
  /** Monotonic milliseconds; `performance.now` where absent. */
  readonly now?: () => number
  /** Milliseconds since the epoch, for calendars kept in this process; `Date.now` where absent. */
  readonly wallClock?: () => number
  /** Text that no other process has, as long as theirs; random where absent. */
  readonly processId?: string
}

/**
 * Seven letters: with six for their number, up to two thousand million, an only lease in Redis takes 32
 * bytes and not 48. Two of a thousand processes have the same once in two million times.
 */
const processIdBytes = 5

/** Build the admission of a process. */
export function createAdmission(options: AdmissionOptions): AdmissionControl {
  const { redis, keyPrefix, replicas, unauthenticated } = options
  const { now = () => performance.now(), wallClock = Date.now, log } = options
  const { processId = randomBytes(processIdBytes).toString('base64url') } = options
  const counter = createDecisionCounter()
  const findLimits = createFindLimits(keyPrefix, options)
  const noteUse = createUsageWarnings({ log, now })
  const common = { findLimits, counter, noteUse, now, wallClock }
  const addresses = { limit: unauthenticated, replicas, keyPrefix }

  if (redis === undefined) {
    const { admit, heldLeases, used } = createInProcessAdmission(common)
    return {
      admit,
      admitAddress: createAdmitAddress(addresses),
      findLimits,
      readUse: (windows) => Promise.resolve(windows.map(used)),
      health: () => ({
        state: 'up',
        decisions: counter.read(),
        heldLeases: heldLeases(),
        redis: undefined,
      }),
      close: () => Promise.resolve(),
    }
  }
  const shared = createRedisAdmission({ ...options, ...common, redis, processId })
  return {
    admit: shared.admit,
    admitAddress: createAdmitAddress({ ...addresses, shared }),
    findLimits,
    readUse: createReadUse(shared.runScript),
    health: () => ({
      state: shared.isDegraded() ? 'degraded' : 'up',
      decisions: counter.read(),
      heldLeases: shared.heldLeases(),
      redis: shared.health(),
    }),
    close: shared.close,
  }
}
