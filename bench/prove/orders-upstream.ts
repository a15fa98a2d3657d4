import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'

/** A service that takes orders, each with an id that its caller made up, and remembers every one. */
export type OrdersUpstream = {
  readonly url: string
  /** How often each id arrived. */
  readonly arrivals: ReadonlyMap<string, number>
  /** What stood before the path when it did, by id. */
  readonly prefixes: ReadonlyMap<string, string>
  close(): Promise<void>
}

/** The `paths` of an OpenAPI document that describes it. */
export const orderPaths = { '/orders': { post: {} } }

/** @param takesMs how long it takes to answer with the id that was sent */
export async function startOrdersUpstream(takesMs: number): Promise<OrdersUpstream> {
  const arrivals = new Map<string, number>()
  const prefixes = new Map<string, string>()
  const server = createServer({ keepAliveTimeout: 60_000 }, (incoming, outgoing) => {
    const answer = async (): Promise<void> => {
      const id = await text(incoming)
      arrivals.set(id, (arrivals.get(id) ?? 0) + 1)
      prefixes.set(id, incoming.url?.split('/', 2)[1] ?? '')
      await pause(takesMs)
      outgoing.end(id)
    }
    // A gateway that was killed with the order on its way.
    answer().catch(() => outgoing.destroy())
  })
  await new Promise<void>((resolve) => {
    server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, resolve)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrivals,
    prefixes,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve()
        })
        server.closeAllConnections()
      }),
  }
}
