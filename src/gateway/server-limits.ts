/** Bounds on connections and on how their requests arrive. */
export type ServerLimits = {
  readonly maxHeaderBytes: number
  readonly maxHeaderFields: number
  /** Longest time for a request's head to arrive. */
  readonly headersTimeoutMs: number
  /** Longest time for a client to take nothing of an answer that is there. */
  readonly idleTimeoutMs: number
  /** How long an idle connection is kept; one on which all have been refused, `headersTimeoutMs`. */
  readonly keepAliveTimeoutMs: number
  readonly maxRequestsPerConnection: number
}
