import { readFileSync } from 'node:fs'
import type { RedisConnection } from '../redis/connection.ts'
import { defineScript, parseIntegers } from '../redis/script.ts'
import type { SlotLimit } from './applicable-limits.ts'
import { decodeReply, encodeBatch, type Batch, type Question } from './batch.ts'
import { partBySlot, type Load } from './cluster-batches.ts'
import { keyPart } from './key.ts'
import type { Lease } from './leases.ts'
import type { LeaseChanges } from './lease-changes.ts'
import type { Verdict } from './verdict.ts'

/** What Redis said, and between which moments it decided that. */
export type Answer = {
  readonly verdict: Verdict
  readonly askedAtMs: number
  readonly answeredAtMs: number
}

/** Calls of `lua/admit.lua`: what one turn of the event loop asks travels together. */
export type Calls = {
  /** @returns undefined where Redis did not answer; the request may have been counted all the same */
  readonly ask: (question: Question) => Promise<Answer | undefined>
  /** Send changes of leases soon, alone if need be. */
  readonly sendChanges: () => void
  /**
   * Send every change of a lease that Redis was not told of, and find out whether it can write.
   *
   * @throws {Error} where it does not answer
   */
  readonly catchUp: () => Promise<void>
  readonly health: () => CallsHealth
}

export type CallsHealth = { readonly calls: number; readonly failedCalls: number }

type Parts = {
  readonly redis: RedisConnection
  readonly changes: LeaseChanges
  readonly leaseMs: number
  readonly keyPrefix: string
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** While it is, nothing but `catchUp` makes a call. */
  readonly isPaused: () => boolean
  readonly onAnswer: () => void
  readonly onFailure: (cause: unknown) => void
}

type Waiting = {
  readonly question: Question
  readonly settle: (answer: Answer | undefined) => void
}

/** Of each of questions, releases and renewals in one call, so that no call holds Redis long. */
const maxPerCall = 128

/**
 * Unanswered calls at a time; beyond that, questions gather for the next one. Answers come in the order of
 * the calls, so more calls are no sooner answered, but each of them has its price here and there. A
 * cluster's come from several nodes.
 */
const maxInFlight = 2
const maxInFlightOfCluster = 16

/** A lone release waits this long for a question to travel with: most clients ask again at once. */
const changesDelayMs = 2

export function createCalls(parts: Parts): Calls {
  const { redis, changes, leaseMs, now, isPaused } = parts
  const script = defineScript(readFileSync(scriptFile, 'utf8'), parseIntegers)
  const atATime = redis.slotOf === undefined ? maxInFlight : maxInFlightOfCluster
  const probes = probeLeases(parts.keyPrefix, redis.slotOf === undefined ? 1 : probesOfCluster)
  const waiting: Waiting[] = []
  let isScheduled = false
  let delay: NodeJS.Timeout | undefined
  /** Since when questions have had to wait for an answer to earlier ones. */
  let blockedSinceMs: number | undefined
  let inFlight = 0
  let calls = 0
  let failedCalls = 0

  return {
    ask(question) {
      return new Promise((settle) => {
        waiting.push({ question, settle })
        if (isScheduled) return
        isScheduled = true
        // Not a microtask: those run after each socket that is read, an immediate after all that
        // were readable in this turn, so that their requests share one call.
        setImmediate(flush)
      })
    },
    sendChanges,
    async catchUp() {
      do {
        const { releases, renewals } = changes.take(maxPerCall)
        const load = { asking: [], releases, renewals: [...renewals, ...probes] }
        await Promise.all(partsOf(load).map((part) => call({ questions: [], ...part })))
      } while (!changes.isEmpty())
    },
    health: () => ({ calls, failedCalls }),
  }

  function sendChanges(): void {
    delay ??= setTimeout(flush, changesDelayMs).unref()
  }

  function flush(): void {
    isScheduled = false
    clearTimeout(delay)
    delay = undefined
    if (isPaused()) {
      for (const { settle } of waiting.splice(0)) settle(undefined)
      return
    }
    while (inFlight < atATime && (waiting.length > 0 || !changes.isEmpty())) void askNext()
    blockedSinceMs = waiting.length === 0 ? undefined : (blockedSinceMs ?? now())
  }

  async function askNext(): Promise<void> {
    const load = { asking: waiting.splice(0, maxPerCall), ...changes.take(maxPerCall) }
    const askedAtMs = now()
    const waitedMs = askedAtMs - (blockedSinceMs ?? askedAtMs)
    if (redis.slotOf === undefined) await askTogether(load, askedAtMs, waitedMs)
    else await Promise.all(partsOf(load).map((part) => askTogether(part, askedAtMs, waitedMs)))
    if (waiting.length > 0) flush()
    else if (!changes.isEmpty()) sendChanges()
  }

  function partsOf(load: Load<Waiting>): readonly Load<Waiting>[] {
    return redis.slotOf === undefined ? [load] : partBySlot(load, redis.slotOf)
  }

  async function askTogether(
    { asking, releases, renewals }: Load<Waiting>,
    askedAtMs: number,
    waitedMs: number,
  ): Promise<void> {
    const questions = asking.map(({ question }) => question)
    try {
      const verdicts = await call({ questions, releases, renewals }, waitedMs)
      parts.onAnswer()
      const answeredAtMs = now()
      for (const [i, verdict] of verdicts.entries())
        asking[i]?.settle({ verdict, askedAtMs, answeredAtMs })
    } catch (cause) {
      parts.onFailure(cause)
      for (const { settle } of asking) settle(undefined)
    }
  }

  async function call(batch: Batch, waitedMs = 0): Promise<readonly Verdict[]> {
    const { keys, args, windowPlaces } = encodeBatch(batch, leaseMs)
    inFlight += 1
    calls += 1
    try {
      const deadlineMs = redis.commandTimeoutMs - waitedMs
      const reply = await redis.run(script, keys, args, deadlineMs)
      return decodeReply(batch.questions, windowPlaces, reply)
    } catch (error) {
      failedCalls += 1
      changes.putBack(batch)
      throw error
    } finally {
      inFlight -= 1
    }
  }
}

const scriptFile = new URL('lua/admit.lua', import.meta.url)

/** Of a cluster, enough to reach each of its nodes, if not surely. */
const probesOfCluster = 16

/**
 * Leases that nobody holds. To renew one it takes what every call takes: a server that has the script,
 * may write and has memory to write to.
 */
function probeLeases(keyPrefix: string, count: number): readonly Lease[] {
  return Array.from({ length: count }, (_, i) => {
    const key = `${keyPart(keyPrefix)}:{probe${i === 0 ? '' : `-${i}`}}:slots`
    const slot: SlotLimit = {
      scope: 'user',
      name: 'probe',
      key,
      whenUnavailable: 'local',
      concurrent: 1,
    }
    return { id: 'probe', createdAtMs: 0, slots: [slot], isHeld: false }
  })
}
