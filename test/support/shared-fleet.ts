import { startFleet, type Fleet, type FleetOptions } from './fleet.ts'
import { startPostgres, type TestPostgres } from './postgres.ts'
import { recordingUpstream, type RecordingUpstream } from './recording-upstream.ts'
import { startRedis, type TestRedis } from './redis.ts'

type Servers = {
  readonly postgres: TestPostgres
  readonly redis: TestRedis
  readonly upstream: RecordingUpstream
}

/** A fleet, and the servers that its gateways share. */
export type SharedFleet = Servers & {
  readonly fleet: Fleet
  /** End all of them. */
  stop(): Promise<void>
}

/** Start a PostgreSQL, a Redis and an upstream, and gateways that are configured with them. */
export async function startSharedFleet(
  configure: (servers: Servers) => Omit<FleetOptions, 'databaseUrl'>,
): Promise<SharedFleet> {
  await using started = new AsyncDisposableStack()
  const [postgres, redis, upstream] = await Promise.all([
    startPostgres().then((server) => started.adopt(server, (each) => each.stop())),
    startRedis().then((server) => started.adopt(server, (each) => each.stop())),
    recordingUpstream().then((server) => started.adopt(server, (each) => each.close())),
  ])
  const servers = { postgres, redis, upstream }
  const databaseUrl = await postgres.createDatabase()
  const fleet = await startFleet({ ...configure(servers), databaseUrl })
  started.adopt(fleet, (each) => each.stop())
  const kept = started.move()
  return { ...servers, fleet, stop: () => kept.disposeAsync() }
}
