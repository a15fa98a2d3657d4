import type { IncomingMessage, ServerResponse } from 'node:http'

type Exchange = { readonly incoming: IncomingMessage; readonly outgoing: ServerResponse }

/** How many requests a server has under way, and the most that it had at once. */
export type InFlight = {
  /** To be told of each request as it arrives. */
  readonly add: (exchange: Exchange) => void
  readonly now: () => number
  /** Since the last reset. */
  readonly peak: () => number
  readonly reset: () => void
}

/**
 * A connection that was cut counts no more from when it was, not from when Node says so. What the
 * system reports in one turn comes in no certain order, and of a request that was sent and cut at once it
 * reports the end a turn after the request. So whoever is there at the end of an arrival's turn
 * counts, unless the next turn finds the connection cut.
 */
export function countInFlight(): InFlight {
  const exchanges = new Set<Exchange>()
  let peak = 0
  const underWay = (): Exchange[] => [...exchanges].filter((one) => !isSent(one) && !isCut(one))
  return {
    add(exchange) {
      exchanges.add(exchange)
      exchange.outgoing.once('close', () => exchanges.delete(exchange))
      setImmediate(() => {
        const there = underWay()
        setImmediate(() => {
          peak = Math.max(peak, there.filter((one) => isSent(one) || !isCut(one)).length)
        })
      })
    },
    now: () => underWay().length,
    peak: () => peak,
    reset: () => {
      peak = underWay().length
    },
  }
}

function isSent({ outgoing }: Exchange): boolean {
  return outgoing.writableFinished
}

function isCut({ incoming }: Exchange): boolean {
  const { destroyed, readableEnded } = incoming.socket
  return destroyed || readableEnded
}
