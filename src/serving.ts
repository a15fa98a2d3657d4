import type { Configuration } from './config/schema.ts'
import { createFindClient, type FindClient } from './gateway/client.ts'
import type { GuardReading } from './gateway/resilience/guard.ts'
import { blankCounts, type GuardCounts, type Watch } from './gateway/resilience/watch.ts'
import { connectUpstream, type Upstream } from './gateway/upstream.ts'
import { compileGroups, type CompiledGroups, type ConnectGroup, type Services } from './groups.ts'

/** What requests are served by. It never changes: a reload puts another in its place. */
export type Served = CompiledGroups & {
  readonly findClient: FindClient
  readonly limits: Configuration['limits']
}

/** What is served now, exchanged as a whole. */
export type Serving = {
  /** To be asked once a request for each part, since it may be another the next time. */
  readonly now: () => Served
  /** Files that were read for what is served, and for what was refused since. */
  readonly files: () => readonly string[]
  /**
   * Compile another configuration aside, and serve by it. Upstreams that are configured as before
   * keep their connections; those that are not any more are closed when nobody uses them.
   *
   * @throws {CatalogError} where it does not compile; what was served before stays
   */
  readonly replace: (configuration: Configuration) => Promise<Served>
  /** How the upstreams do that have more than a list of addresses. */
  readonly upstreams: () => readonly GuardReading[]
  /** Close every upstream, when what is sent to them has been answered. */
  readonly close: () => Promise<void>
}

type Parts = {
  readonly log: Watch['log']
  readonly services: Promise<Services>
  /** Resolves when every request that is in flight now has ended. */
  readonly settled: () => Promise<void>
}

/** By what they were connected with. */
type Upstreams = ReadonlyMap<string, Upstream>

/** @throws {CatalogError} where the configuration does not compile */
export async function createServing(
  configuration: Configuration,
  { services, settled, log }: Parts,
): Promise<Serving> {
  let upstreams: Upstreams = new Map()
  // What was counted stays counted over reloads.
  const countsByGroup = new Map<string, GuardCounts>()
  let tried: readonly string[] = []
  const retiring = new Set<Promise<void>>()
  let served = await replace(configuration)
  return {
    now: () => served,
    files: () => [...new Set([...served.catalog.files, ...tried])],
    replace: async (next) => (served = await replace(next)),
    upstreams: () => served.upstreams.flatMap(({ guard }) => guard?.read() ?? []),
    async close() {
      await Promise.all([closeAll([...upstreams.values()]), ...retiring])
    },
  }

  async function replace(next: Configuration): Promise<Served> {
    tried = next.apiGroups.flatMap(({ document, upstream }) => {
      const { ca, certificate, key } = upstream?.tls ?? {}
      return [document, ca, certificate, key].filter((file) => file !== undefined)
    })
    const connected = new Map<string, Upstream>()
    const compiled = await compileGroups(
      next,
      services,
      connectOnce(connected, upstreams, watchOf),
    ).catch(async (error: unknown) => {
      await closeAll(without(connected, upstreams))
      throw error
    })
    const gone = without(upstreams, connected)
    upstreams = connected
    for (const { guard } of connected.values()) guard?.start()
    for (const { guard } of gone) guard?.stop()
    retire(gone)
    const findClient = createFindClient(next.transport.trustedProxies)
    return { ...compiled, findClient, limits: next.limits }
  }

  function watchOf(groupName: string): Watch {
    return { groupName, log, counts: countsOf(groupName) }
  }

  function countsOf(groupName: string): GuardCounts {
    const counts = countsByGroup.get(groupName) ?? blankCounts()
    countsByGroup.set(groupName, counts)
    return counts
  }

  /** Requests that were matched before the exchange go on to the upstreams of that time. */
  function retire(gone: readonly Upstream[]): void {
    if (gone.length === 0) return
    const closing = settled()
      .then(() => closeAll(gone))
      .finally(() => retiring.delete(closing))
    retiring.add(closing)
  }
}

function connectOnce(
  connected: Map<string, Upstream>,
  before: Upstreams,
  watchOf: (groupName: string) => Watch,
): ConnectGroup {
  return (groupName, options) => {
    const key = JSON.stringify([groupName, options])
    const upstream = before.get(key) ?? connectUpstream(options, watchOf(groupName))
    connected.set(key, upstream)
    return upstream
  }
}

function without(upstreams: Upstreams, others: Upstreams): readonly Upstream[] {
  return [...upstreams].flatMap(([key, upstream]) => (others.has(key) ? [] : upstream))
}

async function closeAll(upstreams: readonly Upstream[]): Promise<void> {
  for (const { guard } of upstreams) guard?.stop()
  await Promise.all(upstreams.map((upstream) => upstream.close()))
}
