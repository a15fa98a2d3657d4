/** Bounds on connections and on how their requests arrive. */
export type ServerLimits = {
  readonly maxHeaderBytes: number
  readonly maxHeaderFields: number
  /** Longest time for a request's head to arrive. */
  readonly headersTimeoutMs: number
  /** Longest time for a client to take nothing of an answer that is there. */
  readonly idleTimeoutMs: number
  /** How long an idle connection is kept. */
  readonly keepAliveTimeoutMs: number
  readonly maxRequestsPerConnection: number
}
