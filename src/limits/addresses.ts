import { isDeepStrictEqual } from 'node:util'
import {
  RateLimiterMemory,
  RateLimiterRedis,
  RateLimiterRes,
  type RateLimiterAbstract,
} from 'rate-limiter-flexible'
import { defineScript, parseIntegers, type Script } from '../redis/script.ts'
import type { AddressLimit, LimitClass } from './limit-class.ts'
import { keyPart } from './key.ts'
import { nothingHeld, wholeSeconds, type Admission } from './outcome.ts'

/**
 * Count a request of somebody who is not known, by address. It holds no slot, so its permit has
 * nothing to give back.
 *
 * @param address canonical: one address (an IPv6 network) has one spelling; or something else that failures
 *   are counted by, spelt as no address is
 * @param limitClass counted apart where it has a limit of its own for addresses
 */
export type AdmitAddress = (address: string, limitClass?: LimitClass) => Promise<Admission>

/** Run a script on Redis; rejects at once while Redis is not asked. */
export type RunScript = (
  script: Script<readonly number[]>,
  keys: readonly string[],
  args: readonly string[],
) => Promise<readonly number[]>

type Parts = {
  readonly limit: AddressLimit
  readonly replicas: number
  readonly keyPrefix: string
  /** Absent where limits are kept in this process. */
  readonly shared?: { readonly runScript: RunScript; readonly isDegraded: () => boolean }
}

/**
 * Build the limiter of addresses, which rate-limiter-flexible carries. While Redis cannot be asked,
 * its insurance takes over with this process's share: this limit never opens.
 */
export function createAdmitAddress(parts: Parts): AdmitAddress {
  const { shared } = parts
  const common: Counted = { limit: parts.limit, limiter: createLimiter(parts) }
  const ofClasses = new Map<string, Counted>()

  return async (address, limitClass) => {
    const { limit, limiter } = limitClass?.address === undefined ? common : ofClass(limitClass)
    try {
      const state = await limiter.consume(keyPart(address))
      return {
        kind: 'admitted',
        limit: {
          limit: limit.requests,
          remaining: state.remainingPoints,
          resetSeconds: wholeSeconds(state.msBeforeNext),
        },
        permit: nothingHeld,
        degraded: shared?.isDegraded() ?? false,
      }
    } catch (refused) {
      // The library says no by rejecting with the state of the key.
      if (!(refused instanceof RateLimiterRes)) throw refused
      const resetSeconds = wholeSeconds(refused.msBeforeNext)
      return {
        kind: 'refused',
        reason: 'rate',
        scope: 'address',
        limit: { limit: limit.requests, remaining: 0, resetSeconds },
        retryAfterSeconds: resetSeconds,
      }
    }
  }

  function ofClass({ name, address: limit = parts.limit }: LimitClass): Counted {
    const known = ofClasses.get(name)
    // After a change of the configuration, the class has another limit under the same name.
    if (known !== undefined && isDeepStrictEqual(known.limit, limit)) return known
    const counted = { limit, limiter: createLimiter({ ...parts, limit }, name) }
    ofClasses.set(name, counted)
    return counted
  }
}

type Counted = { readonly limit: AddressLimit; readonly limiter: RateLimiterAbstract }

function createLimiter(
  { limit, shared, replicas, keyPrefix }: Parts,
  className?: string,
): RateLimiterAbstract {
  const { requests, windowSeconds } = limit
  const suffix = className === undefined ? '' : `:${keyPart(className)}`
  const common = { keyPrefix: `${keyPart(keyPrefix)}:address${suffix}`, duration: windowSeconds }
  if (shared === undefined) return new RateLimiterMemory({ ...common, points: requests })
  return new RateLimiterRedis({
    ...common,
    points: requests,
    storeClient: storeClient(shared.runScript),
    // Exhausted addresses are remembered in process until they reset.
    inMemoryBlockOnConsumed: requests,
    insuranceLimiter: new RateLimiterMemory({ ...common, points: Math.ceil(requests / replicas) }),
  })
}

/**
 * What the library sees in place of a Redis client: the one command that it defines and calls,
 * taken through our own way of running scripts, which has a deadline and a breaker.
 */
function storeClient(runScript: RunScript): object {
  let script: Script<readonly number[]> | undefined
  return {
    defineCommand(_name: string, { lua }: { readonly lua: string }) {
      script = defineScript(lua, parseIntegers)
    },
    async rlflxIncr([key, ...args]: readonly [string, ...string[]]) {
      if (script === undefined) throw new Error('The limiter of addresses defined no script')
      return runScript(script, [key], args)
    },
  }
}
