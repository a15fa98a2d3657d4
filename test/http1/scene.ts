import { onTestFinished } from 'vitest'
import { ConnectionPool, type ConnectionPoolOptions } from '../../src/http1/connection-pool.ts'
import type { Deadlines } from '../../src/http1/connection.ts'
import { startPeer, type Peer } from './peer.ts'

export type PoolOptions = Partial<Omit<ConnectionPoolOptions, 'deadlines'>> & Partial<Deadlines>

/** Far longer than any test waits. */
const long = 60_000

/** A pool, by default of two connections and with deadlines that nobody reaches. */
export function poolTo(url: URL, options: PoolOptions = {}): ConnectionPool {
  const { connections = 2, pipelining, queueMs = long, tls, ...deadlines } = options
  return new ConnectionPool(url, {
    connections,
    pipelining,
    queueMs,
    deadlines: { connectMs: long, headMs: long, bodyMs: long, restMs: long, ...deadlines },
    tls,
  })
}

/** A pool and its other end, for one test. */
export async function scene(
  options: PoolOptions = {},
): Promise<{ readonly peer: Peer; readonly pool: ConnectionPool }> {
  const peer = await startPeer()
  onTestFinished(() => peer.close())
  return { peer, pool: poolTo(peer.url, options) }
}
