import { connectInstance, type ConnectionOptions, type Instance } from './instance.ts'
import { createPipelining, type Pipelining } from './pipelining.ts'
import type { Member } from './resilience/candidate.ts'
import { createGuard, type Guard, type GuardOptions } from './resilience/guard.ts'
import { blankCounts, type Watch } from './resilience/watch.ts'

/** What of the hand-off an API group decides. */
export type HandOff = {
  /** Whether the caller's Authorization goes to the upstream, or ends here. */
  readonly authorization: 'remove' | 'keep'
  /** What `Gatehouse-Assertion` is signed for; undefined: none is sent. */
  readonly assertionAudience?: string | undefined
  /** Whether links in answers are rewritten, which those of a content coding cannot be. */
  readonly rewriteLinks?: boolean
}

/** How the instances of one upstream are reached. */
export type UpstreamOptions = HandOff &
  ConnectionOptions &
  GuardOptions & {
    /** http or https URLs; a path in them goes before the forwarded one. Or else `instances`. */
    readonly urls?: readonly string[] | undefined
  }

type Weighted = { readonly url: string; readonly weight: number }

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
  /** What is asked at each request beside whose turn it is; undefined: nothing. */
  readonly guard: Guard | undefined
  /** The instance for the next request, where there is no guard. */
  next(): Instance
  close(): Promise<void>
}

/**
 * Connect an upstream. Nothing is opened before the first request.
 *
 * Each instance has a pool of its own: a connection is never shared between trust zones. Without
 * pipelining, no answer waits behind another; with it, those that may wait have a pool of their own.
 *
 * @param watch absent where nothing is going to be sent
 */
export function connectUpstream(options: UpstreamOptions, watch = nobodyWatches()): Upstream {
  const weighted = options.instances ?? (options.urls ?? []).map((url) => ({ url, weight: 1 }))
  const connect = ({ url, weight }: Weighted): Member => {
    return { url, weight, instance: connectInstance(new URL(url), options) }
  }
  const members = weighted.map(connect)
  const canaries = (options.canary?.instances ?? []).map(connect)
  const instances = members.map(({ instance }) => instance)
  let turn = 0
  return {
    kind: 'network',
    handOff: {
      authorization: options.authorization,
      assertionAudience: options.assertionAudience,
      rewriteLinks: options.rewriteLinks === true,
    },
    size: instances.length,
    pipelining: options.pipelining > 1 ? createPipelining() : undefined,
    queueTimeoutMs: options.headersTimeoutMs,
    guard: createGuard({ members, canaries }, options, watch),
    next() {
      turn = (turn + 1) % instances.length
      const instance = instances[turn]
      if (instance === undefined) throw new Error('An upstream has no URL')
      return instance
    },
    async close() {
      const all = [...members, ...canaries].map(({ instance }) => instance)
      const pools = all.flatMap(({ connections, pipelined, upgrading }) => [
        connections,
        upgrading,
        pipelined ?? [],
      ])
      await Promise.all(pools.flat().map((pool) => pool.close()))
    },
  }
}

function nobodyWatches(): Watch {
  const log = { info: () => undefined, warn: () => undefined }
  return { groupName: '', log, counts: blankCounts() }
}
