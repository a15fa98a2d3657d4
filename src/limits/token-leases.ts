import type { ApplicableLimits, WindowLimit } from './applicable-limits.ts'
import type { Question } from './batch.ts'
import type { Answer } from './calls.ts'
import { bindingLimit, weightIn, type LimitState } from './outcome.ts'
import { createTokenStocks, type Stock } from './token-stocks.ts'
import type { NoteUse } from './usage-warnings.ts'
import type { Verdict } from './verdict.ts'

/**
 * Tokens of fixed windows that this process took ahead. Redis has counted them, so whoever is admitted
 * from them need not be counted again: nobody is admitted above a limit. Those that are not used until
 * their window ends are lost, which docs/limits.md puts into a formula.
 */
export type TokenLeases = {
  /** Take what a request weighs from each window of which so many tokens are here. */
  readonly claim: (limits: ApplicableLimits) => Claim
  /** Whether there are tokens now for a window of these that may be taken ahead. */
  readonly canClaim: (limits: ApplicableLimits) => boolean
  /** Where few are left, ask Redis for a share of each window that may be taken ahead. */
  readonly restock: (limits: ApplicableLimits) => void
  /** What remains of windows that Redis was asked about, together with what was taken ahead. */
  readonly withTokens: (limits: ApplicableLimits, verdict: Verdict) => Verdict
}

/** What was taken for one request. */
export type Claim = {
  /** The limits that are to be decided otherwise; undefined where there are none. */
  readonly rest: ApplicableLimits | undefined
  /** The one that binds next of those that were not; undefined where every one is among the rest. */
  readonly limit: LimitState | undefined
  /** Where there are others: whether the request passed, or else gives back what was taken. */
  readonly settle: (hasPassed: boolean) => void
}

type Parts = {
  readonly ask: (question: Question) => Promise<Answer | undefined>
  /** Whether Redis is asked at the moment. */
  readonly isAsked: () => boolean
  readonly noteUse: NoteUse
  /** Monotonic milliseconds. */
  readonly now: () => number
}

export function createTokenLeases({ ask, isAsked, noteUse, now }: Parts): TokenLeases {
  const stocks = createTokenStocks(now)

  return {
    claim(limits) {
      const taken: { readonly window: WindowLimit; readonly stock: Stock }[] = []
      const others: WindowLimit[] = []
      for (const window of limits.windows) {
        const stock = stocks.with(window, weightIn(window, limits.cost))
        if (stock === undefined) others.push(window)
        else taken.push({ window, stock })
      }
      const rest = restOf(limits, others)
      for (const { window, stock } of taken) {
        stock.tokens -= weightIn(window, limits.cost)
        // Where nothing else is to be decided, they are used.
        if (rest !== undefined) stock.claimed += weightIn(window, limits.cost)
      }
      const settle = (hasPassed: boolean): void => {
        for (const { window, stock } of taken.splice(0)) {
          stock.claimed -= weightIn(window, limits.cost)
          // To the stock it was taken from: where that has ended, nobody looks at it any more.
          if (!hasPassed) stock.tokens += weightIn(window, limits.cost)
        }
      }
      return {
        rest,
        limit: bindingLimit(
          taken.map(({ window }) => window),
          taken.map(({ stock }) => stocks.stateOf(stock)),
        ),
        settle,
      }
    },
    canClaim: ({ windows, cost }) =>
      windows.some((window) => stocks.with(window, weightIn(window, cost)) !== undefined),
    restock(limits) {
      for (const window of limits.windows) {
        const tokens = isAsked() ? stocks.wanted(window) : 0
        if (tokens > 0) void take(limits, window, tokens)
      }
    },
    withTokens(limits, verdict) {
      const windows = limits.windows.map((window, i) => {
        const state = verdict.windows[i] ?? { remaining: 0, msToReset: 0 }
        const isDenied = verdict.deniedBy !== undefined
        return { ...state, remaining: stocks.hear(window, state.remaining, isDenied) }
      })
      return { ...verdict, windows }
    },
  }

  /** A share is admitted as a request is that weighs as much, and as no more than one of them. */
  async function take(
    { warnedOf }: ApplicableLimits,
    window: WindowLimit,
    tokens: number,
  ): Promise<void> {
    const limits = { ...nothingElse, windows: [window], cost: tokens, warnedOf }
    stocks.asking(window)
    const answer = await ask({ limits, lease: noLease })
    const isGranted = stocks.answered(window, tokens, answer)
    if (isGranted && answer !== undefined) noteUse(limits, answer.verdict)
  }
}

const nothingElse = { slots: [], leased: [], shadow: undefined, hasTokenShares: false } as const

const noLease = { id: 'share', createdAtMs: 0, slots: [], isHeld: false }

function restOf(
  limits: ApplicableLimits,
  windows: readonly WindowLimit[],
): ApplicableLimits | undefined {
  if (windows.length === limits.windows.length) return limits
  const isNothing = windows.length + limits.slots.length === 0 && limits.shadow === undefined
  return isNothing ? undefined : { ...limits, windows }
}
