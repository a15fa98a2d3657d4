import { Pool } from 'undici'
import { ConnectionPool } from '../http1/connection-pool.ts'

/** How connections to an instance are made and kept. */
export type ConnectionOptions = {
  /** Connections per instance. */
  readonly connections: number
  /**
   * How many requests may be on their way on one connection: 1, or more where answers are short and
   * quick. Only idempotent requests without a body, to operations that answer in one piece.
   */
  readonly pipelining: number
  readonly connectTimeoutMs: number
  /** From the sent request to the head of the response. */
  readonly headersTimeoutMs: number
  /** Between two pieces of the response's body. */
  readonly idleTimeoutMs: number
  /** For https: what they are held against, and what we show them, in PEM. */
  readonly tls?: UpstreamTls | undefined
}

export type UpstreamTls = {
  /** Absent: the roots that Node knows. */
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
}

/** One instance and the path that its URL puts before every forwarded path. */
export type Instance = {
  /** Its URL as it is configured. */
  readonly name: string
  readonly connections: ConnectionPool
  /** Other connections to it, on which requests go one behind another. */
  readonly pipelined: ConnectionPool | undefined
  /** And those that become something else than HTTP. */
  readonly upgrading: Pool
  readonly pathPrefix: string
  /** How many requests can be on their way at once. */
  readonly capacity: number
}

/** Below the 5 s after which common servers close an idle connection. */
const restMs = 4_000

/** Nothing is opened before the first request. */
export function connectInstance(url: URL, options: ConnectionOptions): Instance {
  const { connections, pipelining } = options
  const shared = pipelining > 1 ? Math.ceil(connections / pipelining) : 0
  const common = {
    queueMs: options.headersTimeoutMs,
    deadlines: {
      connectMs: options.connectTimeoutMs,
      headMs: options.headersTimeoutMs,
      bodyMs: options.idleTimeoutMs,
      restMs,
    },
    tls: options.tls,
  }
  return {
    name: url.pathname === '/' ? url.origin : url.href,
    connections: new ConnectionPool(url, { ...common, connections }),
    upgrading: createPool(url, options, connections),
    pipelined:
      shared > 0
        ? new ConnectionPool(url, { ...common, connections: shared, pipelining })
        : undefined,
    pathPrefix: url.pathname.replace(/\/$/, ''),
    capacity: connections + shared * pipelining,
  }
}

/** One connection more, for asking an instance how it is. */
export function connectProbe(url: URL, options: ConnectionOptions): Pool {
  return createPool(url, options, 1)
}

function createPool(url: URL, options: ConnectionOptions, connections: number): Pool {
  return new Pool(url.origin, {
    connections,
    pipelining: 1,
    connect: { timeout: options.connectTimeoutMs, ...options.tls },
    headersTimeout: options.headersTimeoutMs,
    bodyTimeout: options.idleTimeoutMs,
    keepAliveTimeout: restMs,
    maxHeaderSize: 32_768,
  })
}
