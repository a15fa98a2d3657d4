import type { Exchange } from './exchange.ts'

/** What is known of one connection of HTTP/1.1. */
export type ConnectionState = {
  requests: number
  /** The newest of its requests that is under way. */
  exchange: Exchange | undefined
  /** An answer has said that it is the last. */
  isClosing: boolean
  /** A request has come as far as to be authenticated, or to where nobody has to be. */
  isKnown: boolean
}

export function newConnection(): ConnectionState {
  return { requests: 0, exchange: undefined, isClosing: false, isKnown: false }
}
