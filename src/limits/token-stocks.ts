import type { WindowLimit } from './applicable-limits.ts'
import type { Answer } from './calls.ts'
import { certainlyLastsMs } from './certain-time.ts'
import type { WindowState } from './verdict.ts'

/** Tokens of one window in Redis. */
export type Stock = {
  tokens: number
  /** Those of requests that are not decided yet: they may come back. */
  claimed: number
  /** Until then their window certainly lasts; later they would be those of a window that is over. */
  endsAtMs: number
  /** By then it is over. */
  resetsByMs: number
  /** What Redis said was left beside them. */
  left: number
  /** The least that callers were told remains: within a window it does not go up. */
  told: number
}

/** What this process knows of a window of which it takes tokens ahead. */
type Known = {
  stock: Stock | undefined
  /** The limit that the tokens were counted against. */
  requests: number
  isAsking: boolean
  /** Redis had less than a share left: until then requests are counted one by one. */
  askNotBeforeMs: number
}

/** More windows than that are not kept: the oldest go, and their tokens with them. */
const maxKept = 100_000

/** Where no share was left, it is asked again after this time: Redis may have been flushed. */
const maxPatienceMs = 10_000

/** @param now monotonic milliseconds */
export function createTokenStocks(now: () => number) {
  const all = new Map<string, Known>()

  return {
    /** The stock of a window, where it holds so many tokens. */
    with(window: WindowLimit, tokens: number): Stock | undefined {
      if (window.tokenShare === undefined) return undefined
      const { stock } = knownOf(window)
      return stock !== undefined && stock.tokens >= tokens ? stock : undefined
    },

    /** How many tokens to ask for: none until half of the share is used, never more than it together. */
    wanted(window: WindowLimit): number {
      const { tokenShare } = window
      if (tokenShare === undefined) return 0
      const { stock, isAsking, askNotBeforeMs } = knownOf(window)
      const tokens = stock === undefined ? 0 : stock.tokens + stock.claimed
      const isTime = !isAsking && askNotBeforeMs <= now() && tokens <= tokenShare / 2
      return isTime ? tokenShare - tokens : 0
    },

    asking(window: WindowLimit): void {
      knownOf(window).isAsking = true
    },

    /** @returns whether Redis has counted the tokens for this process, as far as is known */
    answered(window: WindowLimit, tokens: number, answer: Answer | undefined): boolean {
      const known = knownOf(window, false)
      known.isAsking = false
      // They may have been counted: then they are lost.
      if (answer === undefined) return false
      const [state] = answer.verdict.windows
      if (state === undefined) throw new RangeError('Redis said nothing of the window')
      if (answer.verdict.deniedBy !== undefined) {
        known.askNotBeforeMs = now() + Math.min(state.msToReset, maxPatienceMs)
        return false
      }
      // The limit was lowered in the meantime, and these were taken by the one before.
      if (window.requests <= known.requests) add(known, tokens, state, answer)
      return true
    },

    /** What remains of a window, as Redis says and with the tokens that are here. */
    hear(window: WindowLimit, remaining: number, isDenied: boolean): number {
      const stock = window.tokenShare === undefined ? undefined : knownOf(window).stock
      if (stock === undefined) return remaining
      stock.left = Math.min(stock.left, remaining)
      // Whoever is denied is told why: what is here did not suffice.
      stock.told = Math.min(stock.told, isDenied ? remaining : remaining + stock.tokens)
      return isDenied ? remaining : stock.told
    },

    stateOf(stock: Stock): WindowState {
      stock.told = Math.min(stock.told, stock.left + stock.tokens)
      return { remaining: stock.told, msToReset: Math.max(stock.resetsByMs - now(), 0) }
    },
  }

  /** @param isAsked whether it is looked at by the limit that holds now */
  function knownOf(window: WindowLimit, isAsked = true): Known {
    const known = all.get(window.key) ?? enter(window)
    if (known.stock !== undefined && known.stock.endsAtMs <= now()) {
      // Its window may last a moment more: another share of it would be lost, too.
      known.askNotBeforeMs = known.stock.resetsByMs
      known.stock = undefined
    }
    if (isAsked && window.requests !== known.requests) {
      // Of a lower limit these may be too many; a higher one has them too, and more.
      if (window.requests < known.requests) known.stock = undefined
      else if (known.stock !== undefined) {
        known.stock.left += window.requests - known.requests
        known.stock.told = Infinity
      }
      known.requests = window.requests
      known.askNotBeforeMs = 0
    }
    return known
  }

  function enter({ key, requests }: WindowLimit): Known {
    for (const oldest of all.keys()) {
      if (all.size < maxKept) break
      all.delete(oldest)
    }
    const known = { stock: undefined, requests, isAsking: false, askNotBeforeMs: 0 }
    all.set(key, known)
    return known
  }

  function add(known: Known, tokens: number, state: WindowState, answer: Answer): void {
    const endsAtMs = answer.askedAtMs + certainlyLastsMs(state.msToReset)
    const resetsByMs = answer.answeredAtMs + state.msToReset
    const { stock } = known
    if (stock === undefined) {
      const left = state.remaining
      known.stock = { tokens, claimed: 0, endsAtMs, resetsByMs, left, told: Infinity }
      return
    }
    stock.tokens += tokens
    // What is here has not ended, so it is the same window, seen twice.
    stock.endsAtMs = Math.min(stock.endsAtMs, endsAtMs)
    stock.resetsByMs = Math.max(stock.resetsByMs, resetsByMs)
    stock.left = Math.min(stock.left, state.remaining)
  }
}
