import { Pool, type Dispatcher } from 'undici'
import { createPipelining, type Pipelining } from './pipelining.ts'

/** What of the hand-off an API group decides. */
export type HandOff = {
  /** Whether the caller's Authorization goes to the upstream, or ends here. */
  readonly authorization: 'remove' | 'keep'
  /** What `Gatehouse-Assertion` is signed for; undefined: none is sent. */
  readonly assertionAudience?: string | undefined
}

/** How the instances of one upstream are reached. */
export type UpstreamOptions = HandOff & {
  /** http or https URLs; a path in them goes before the forwarded one. */
  readonly urls: readonly string[]
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

/** The instances of one upstream, each with its own connections, used in turn. */
export type Upstream = {
  readonly kind: 'network'
  readonly handOff: HandOff
  /** How many instances there are. */
  readonly size: number
  /** What is known of its operations; undefined where nothing is pipelined. */
  readonly pipelining: Pipelining | undefined
  /** Longest wait for a free connection. */
  readonly queueTimeoutMs: number
  /** The instance for the next request. */
  next(): Instance
  close(): Promise<void>
}

/** One instance and the path that its URL puts before every forwarded path. */
export type Instance = {
  readonly dispatcher: Dispatcher
  /** Other connections to it, on which requests go one behind another. */
  readonly pipelined: Dispatcher | undefined
  readonly pathPrefix: string
}

/**
 * Connect an upstream. Nothing is opened before the first request.
 *
 * Each instance has a pool of its own: a connection is never shared between trust zones. Without
 * pipelining, no answer waits behind another; with it, those that may wait have a pool of their own.
 */
export function connectUpstream(options: UpstreamOptions): Upstream {
  const instances = options.urls.map((url) => connectInstance(new URL(url), options))
  let turn = 0
  return {
    kind: 'network',
    handOff: {
      authorization: options.authorization,
      assertionAudience: options.assertionAudience,
    },
    size: instances.length,
    pipelining: options.pipelining > 1 ? createPipelining() : undefined,
    queueTimeoutMs: options.headersTimeoutMs,
    next() {
      turn = (turn + 1) % instances.length
      const instance = instances[turn]
      if (instance === undefined) throw new Error('An upstream has no URL')
      return instance
    },
    async close() {
      const pools = instances.flatMap(({ dispatcher, pipelined }) => [dispatcher, pipelined ?? []])
      await Promise.all(pools.flat().map((pool) => pool.close()))
    },
  }
}

function connectInstance(url: URL, options: UpstreamOptions): Instance {
  const { connections, pipelining } = options
  return {
    dispatcher: createPool(url, options, { connections, pipelining: 1 }),
    pipelined:
      pipelining > 1
        ? createPool(url, options, { connections: Math.ceil(connections / pipelining), pipelining })
        : undefined,
    pathPrefix: url.pathname.replace(/\/$/, ''),
  }
}

function createPool(
  url: URL,
  options: UpstreamOptions,
  size: { readonly connections: number; readonly pipelining: number },
): Pool {
  return new Pool(url.origin, {
    ...size,
    connect: { timeout: options.connectTimeoutMs, ...options.tls },
    headersTimeout: options.headersTimeoutMs,
    bodyTimeout: options.idleTimeoutMs,
    // Below the 5 s after which common servers close an idle connection.
    keepAliveTimeout: 4_000,
    maxHeaderSize: 32_768,
  })
}
