import type { ServerLimits } from '../../../src/gateway/server-limits.ts'

/** Bounds that nothing reaches unless a test means to. */
export const serverLimits: ServerLimits = {
  maxHeaderBytes: 16_384,
  maxHeaderFields: 100,
  headersTimeoutMs: 10_000,
  idleTimeoutMs: 10_000,
  keepAliveTimeoutMs: 65_000,
  maxRequestsPerConnection: 1_000,
}
