import type { RedisConnection } from '../redis/connection.ts'
import type { RunScript } from './addresses.ts'
import type { ApplicableLimits, FindLimits, Subject } from './applicable-limits.ts'
import { createBreaker, type BreakerHealth } from './breaker.ts'
import { createCalls, type Answer, type CallsHealth } from './calls.ts'
import type { DecisionCounter } from './decision-counts.ts'
import { localShare } from './degraded.ts'
import { createExhaustedWindows } from './exhausted-windows.ts'
import { createInProcessLimits } from './in-process.ts'
import { createLeaseChanges, type LeaseChangesHealth } from './lease-changes.ts'
import { createLeases, type Lease } from './leases.ts'
import type { Log } from './limits-log.ts'
import { createTokenLeases, type Claim } from './token-leases.ts'
import type { NoteUse } from './usage-warnings.ts'
import { bindingOf, nothingHeld, outcome, rateRefusal, type Admission } from './outcome.ts'

/** Admission by Redis, and by this process alone while Redis cannot be asked. */
export type RedisAdmission = {
  readonly admit: (subject: Subject) => Decision
  /** Run another limiter's script; rejects at once while Redis is not asked. */
  readonly runScript: RunScript
  readonly isDegraded: () => boolean
  /** Admitted requests that hold a slot now. */
  readonly heldLeases: () => number
  readonly health: () => RedisHealth
  /** Tell Redis which leases were given back last. */
  readonly close: () => Promise<void>
}

export type RedisHealth = BreakerHealth & CallsHealth & LeaseChangesHealth

type Parts = {
  readonly redis: RedisConnection
  readonly findLimits: FindLimits
  readonly counter: DecisionCounter
  readonly replicas: number
  readonly leaseMs: number
  readonly keyPrefix: string
  readonly processId: string
  readonly noteUse: NoteUse
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number
  readonly log: Log
}

const unlimited: Admission = {
  kind: 'admitted',
  limit: undefined,
  permit: nothingHeld,
  degraded: false,
}

/** A promise only where Redis is asked. */
type Decision = Admission | Promise<Admission>

/** Held leases are renewed this often within the time in which they would lapse. */
const renewalsPerLease = 3

/** A denial is a refusal; one function for every request. */
const refused = (): undefined => undefined

/** The decision about the rest of a request's limits, as one about all of them. */
function conclude(decided: Admission, { limit, settle }: Claim): Admission {
  settle(decided.kind === 'admitted')
  if (decided.kind !== 'admitted') return decided
  return { ...decided, limit: bindingOf(limit, decided.limit) }
}

export function createRedisAdmission(parts: Parts): RedisAdmission {
  const { redis, findLimits, counter, leaseMs, now } = parts
  const leases = createLeases({ now, processId: parts.processId, onRelease })
  const changes = createLeaseChanges()
  const inProcess = createInProcessLimits({ ...parts, occupied: leases.occupied })
  const exhausted = createExhaustedWindows(now)
  const breaker = createBreaker({
    now,
    log: parts.log,
    probe: () => calls.catchUp(),
    // Redis may come back without its data: every lease is entered again before it is asked.
    onOpen: () => {
      for (const lease of leases.held()) changes.renew(lease)
    },
    onClose: inProcess.clear,
  })
  const calls = createCalls({
    ...parts,
    changes,
    isPaused: breaker.isOpen,
    onAnswer: breaker.succeeded,
    onFailure: breaker.failed,
  })
  const tokens = createTokenLeases({
    ...parts,
    ask: calls.ask,
    isAsked: () => !breaker.isOpen(),
  })
  const renewalMs = leaseMs / renewalsPerLease
  const renewal = setInterval(renewLeases, renewalMs).unref()
  redis.onChange((change) => {
    if (change.kind === 'lost') breaker.open(change.cause)
    else breaker.probeNow()
  })
  if (!redis.isReady()) breaker.open(new Error('Redis cannot be reached'))

  return {
    admit(subject) {
      const limits = findLimits(subject)
      if (limits.windows.length + limits.slots.length === 0 && limits.shadow === undefined)
        return counter.count(unlimited)
      return limits.hasTokenShares ? admitFromTokens(limits, 'first-time') : admitBy(limits)
    },
    async runScript(script, keys, args) {
      if (breaker.isOpen()) throw new Error('Redis is not asked at the moment')
      try {
        const reply = await redis.run(script, keys, args)
        breaker.succeeded()
        return reply
      } catch (error) {
        breaker.failed(error)
        throw error
      }
    },
    isDegraded: breaker.isOpen,
    heldLeases: leases.count,
    health: () => ({ ...breaker.health(), ...calls.health(), ...changes.health() }),
    async close() {
      clearInterval(renewal)
      breaker.close()
      if (breaker.isOpen()) return
      // What cannot be told any more lapses by itself.
      await calls.catchUp().catch(() => undefined)
    },
  }

  /** @param otherwise what becomes of the request where Redis denies it; undefined: it is refused */
  function admitBy(
    limits: ApplicableLimits,
    otherwise: () => Decision | undefined = refused,
  ): Decision {
    const known = exhausted.among(limits)
    if (known.length > 0) return counter.countRemembered(rateRefusal(known))
    const lease = leases.create(limits.leased)
    if (breaker.isOpen()) return decideAlone(limits, lease, 'never-asked')
    return calls.ask({ limits, lease }).then((answer) => decide(limits, lease, answer, otherwise))
  }

  /** What was taken ahead need not be asked for; where nothing else limits the request, nothing is. */
  function admitFromTokens(limits: ApplicableLimits, time: 'first-time' | 'again'): Decision {
    const claim = tokens.claim(limits)
    const { rest, limit } = claim
    if (rest === undefined) {
      tokens.restock(limits)
      const permit = nothingHeld
      return counter.countFromTokens({ kind: 'admitted', limit, permit, degraded: false })
    }
    const decided = admitBy(rest, () => {
      claim.settle(false)
      // A share that was asked for since may have taken the last of it, for this process.
      const isWorthIt = time === 'first-time' && tokens.canClaim(rest)
      return isWorthIt ? admitFromTokens(limits, 'again') : undefined
    })
    if (!(decided instanceof Promise)) return conclude(decided, claim)
    // Behind the request, which may be the last that passes.
    if (time === 'first-time') tokens.restock(limits)
    return decided.then((admission) => conclude(admission, claim))
  }

  function decide(
    limits: ApplicableLimits,
    lease: Lease,
    answer: Answer | undefined,
    otherwise: () => Decision | undefined,
  ): Decision {
    // Redis may have granted the lease all the same: it keeps its id if the request is admitted
    // here, and is given back if not.
    if (answer === undefined) return decideAlone(limits, lease, 'asked')
    const { verdict } = answer
    exhausted.remember(limits, verdict.windows, answer)
    parts.noteUse(limits, verdict)
    const described = limits.hasTokenShares ? tokens.withTokens(limits, verdict) : verdict
    if (verdict.deniedBy !== undefined) {
      const other = otherwise()
      if (other !== undefined) return other
    }
    return counter.count(outcome(limits, described, () => leases.hold(lease), false))
  }

  function decideAlone(
    limits: ApplicableLimits,
    lease: Lease,
    redisWas: 'asked' | 'never-asked',
  ): Admission {
    const share = localShare(limits, parts.replicas)
    const admission: Admission =
      share === undefined
        ? { kind: 'unavailable' }
        : outcome(share, inProcess.decide(share), () => leases.hold(lease), true)
    if (lease.isHeld) changes[redisWas === 'asked' ? 'renew' : 'enter'](lease)
    else if (redisWas === 'asked') onRelease(lease)
    return counter.count(admission)
  }

  function onRelease(lease: Lease): void {
    changes.release(lease)
    if (!breaker.isOpen()) calls.sendChanges()
  }

  function renewLeases(): void {
    const bornBefore = now() - renewalMs
    for (const lease of leases.held()) if (lease.createdAtMs <= bornBefore) changes.renew(lease)
    if (!breaker.isOpen()) calls.sendChanges()
  }
}
