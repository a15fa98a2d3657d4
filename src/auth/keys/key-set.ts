import { GatewayError } from '../../errors/gateway-error.ts'
import { fetchKeySet, type KeySource } from './discovery.ts'
import type { FetchDocument } from './document-fetch.ts'
import type { KeySetLog } from './key-sets-log.ts'
import { vetKeys } from './vetted-keys.ts'
import type { FindKey, VerificationKey } from './verification-key.ts'

export type KeySetParts = {
  readonly fetchDocument: FetchDocument
  readonly log: KeySetLog
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** At least 0, below 1; spreads refreshes, so that replicas do not ask at the same moment. */
  readonly random: () => number
  /** For one fetch, discovery included. Default: 5,000 ms. */
  readonly deadlineMs?: number
}

/** What the server says of the lifetime is kept within these; without a word of it, a day. */
const minLifetimeMs = 300_000
const maxLifetimeMs = 604_800_000
const defaultLifetimeMs = 86_400_000

/** How much longer keys are used while their server fails. */
const staleMs = 86_400_000

const coolDownMs = 30_000
const maxBackOffMs = 240_000

/** Ids that the issuer does not have, told apart from those that are merely new to us. */
const maxUnknownKids = 64
const unknownKidMs = 60_000

type Held = {
  readonly keys: ReadonlyMap<string, VerificationKey>
  readonly refreshAtMs: number
  readonly unusableAtMs: number
}

/**
 * The keys of one issuer. A key at hand is answered at once, whatever its server does: refreshing
 * happens beside. Only a key that is not at hand waits, for the one fetch that all who wait share.
 *
 * An unknown id costs at most one fetch for each 30 s, and so does a failing server, after which the
 * pauses double up to four minutes while there are keys to go on with.
 *
 * @returns a FindKey that rejects with DIRECTORY_UNAVAILABLE where the server fails and the key is
 *   not at hand
 */
export function createKeySet(source: KeySource, parts: KeySetParts): FindKey {
  const { fetchDocument, log, now, random, deadlineMs = 5000 } = parts
  const unknownKids = new Map<string, number>()
  let held: Held | undefined
  let underWay: Promise<void> | undefined
  let failures = 0
  let nextFetchAtMs = 0

  return (kid) => {
    const usable = heldNow()
    if (usable !== undefined && now() >= usable.refreshAtMs && mayFetch()) void fetchOnce()
    const key = usable?.keys.get(kid)
    if (key !== undefined) return key
    if (usable !== undefined && (unknownKids.get(kid) ?? 0) > now()) return undefined
    if (underWay === undefined && !mayFetch()) return answerFor(kid)
    return fetchOnce().then(() => {
      const found = answerFor(kid)
      if (found === undefined) rememberUnknown(kid)
      return found
    })
  }

  function heldNow(): Held | undefined {
    if (held !== undefined && now() >= held.unusableAtMs) held = undefined
    return held
  }

  function mayFetch(): boolean {
    return now() >= nextFetchAtMs
  }

  /** After a fetch, or instead of one. */
  function answerFor(kid: string): VerificationKey | undefined {
    const usable = heldNow()
    const key = usable?.keys.get(kid)
    if (key !== undefined) return key
    if (usable === undefined || failures > 0) throw unavailable()
    return undefined
  }

  /** A server that fails says nothing about a key: the caller may come again (503), not be refused. */
  function unavailable(): GatewayError {
    const retryAfterSeconds = Math.max(1, Math.ceil((nextFetchAtMs - now()) / 1000))
    const cause = new Error('the keys of the issuer cannot be fetched')
    return new GatewayError('DIRECTORY_UNAVAILABLE', { cause, retryAfterSeconds })
  }

  function rememberUnknown(kid: string): void {
    unknownKids.delete(kid)
    unknownKids.set(kid, now() + unknownKidMs)
    if (unknownKids.size <= maxUnknownKids) return
    for (const oldest of unknownKids.keys()) {
      unknownKids.delete(oldest)
      return
    }
  }

  function fetchOnce(): Promise<void> {
    underWay ??= fetchKeys().finally(() => {
      underWay = undefined
    })
    return underWay
  }

  /** Never rejects: what failed is told by `failures`. */
  async function fetchKeys(): Promise<void> {
    // Should the deadline be missed by the fetch itself, nobody waits for it.
    const signal = AbortSignal.timeout(deadlineMs)
    try {
      const { body, maxAgeSeconds } = await beforeEnd(
        fetchKeySet(source, fetchDocument, signal),
        signal,
      )
      const vetted = await vetKeys(body)
      if (vetted === undefined) throw new Error('the document is no key set')
      if (vetted.dropped.length > 0) log.keysDropped(source.issuer, vetted.dropped)
      hold(vetted.keys, maxAgeSeconds)
    } catch (error) {
      postpone()
      log.fetchFailed(source.issuer, error)
    }
  }

  function hold(keys: Held['keys'], maxAgeSeconds: number | undefined): void {
    const lifetimeMs = lifetimeOf(maxAgeSeconds)
    held = {
      keys,
      refreshAtMs: now() + lifetimeMs * (0.75 + 0.15 * random()),
      unusableAtMs: now() + lifetimeMs + staleMs,
    }
    failures = 0
    nextFetchAtMs = now() + coolDownMs
    for (const kid of unknownKids.keys()) if (keys.has(kid)) unknownKids.delete(kid)
  }

  function postpone(): void {
    // Without keys everybody is refused meanwhile, so the pause stays short.
    const doubled = heldNow() === undefined ? coolDownMs : coolDownMs * 2 ** Math.min(failures, 3)
    failures++
    nextFetchAtMs = now() + Math.min(doubled, maxBackOffMs) * (1 + 0.1 * random())
  }
}

function lifetimeOf(maxAgeSeconds: number | undefined): number {
  if (maxAgeSeconds === undefined) return defaultLifetimeMs
  return Math.min(Math.max(maxAgeSeconds * 1000, minLifetimeMs), maxLifetimeMs)
}

async function beforeEnd<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  const end = new Promise<never>((_resolve, reject) => {
    const onAbort = (): void => {
      reject(new Error('the key set did not arrive in time'))
    }
    signal.addEventListener('abort', onAbort, { once: true })
  })
  return Promise.race([work, end])
}
