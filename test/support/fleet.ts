import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDirectory, type Directory } from '../../src/directory/directory.ts'
import { basic } from './basic.ts'
import { writeConfiguration, type TestConfiguration } from './configuration.ts'
import { startGatewayProcess, type GatewayProcess } from './gateway-process.ts'

/** What gateways share, and what they are configured with alike. */
export type FleetOptions = TestConfiguration & {
  readonly count: number
  /** An empty PostgreSQL database. */
  readonly databaseUrl: string
  /** Absent: each keeps its limits by itself. */
  readonly redisUrl?: string
  /** What the gateways' configuration says of the directory beside its database and pepper. */
  readonly directory?: Readonly<Record<string, unknown>>
}

/** Gateways in processes of their own, with one directory and the same configuration. */
export type Fleet = {
  readonly gateways: readonly GatewayProcess[]
  readonly configurationFile: string
  readonly organizationId: string
  readonly userId: string
  /** An Authorization value that opens every operation. */
  readonly authorization: string
  /** The directory, as another process sees it. */
  readonly directory: Directory
  /** Start one more. */
  start(serveOptions?: readonly string[]): Promise<GatewayProcess>
  /** SIGKILL to all that still run. */
  stop(): Promise<void>
}

const pepper = {
  current: { id: 'p1', secret: 'a pepper for the tests, long enough' },
  previous: [],
}

export async function startFleet({
  count,
  databaseUrl,
  redisUrl = '',
  directory: ofGateways = {},
  configuration,
  ...rest
}: FleetOptions): Promise<Fleet> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-fleet-'))
  const directory = await openShared(databaseUrl)
  const gateways: GatewayProcess[] = []
  const stop = async (): Promise<void> => {
    await Promise.all(gateways.map((gateway) => gateway.kill()))
    await directory.close()
    await rm(folder, { recursive: true, force: true })
  }
  const shared = {
    directory: { url: databaseUrl, pepper, ...ofGateways },
    redis: { url: redisUrl },
  }
  const configurationFile = await writeConfiguration(folder, {
    ...rest,
    configuration: { ...shared, ...configuration },
  })
  const start = async (serveOptions: readonly string[] = []): Promise<GatewayProcess> => {
    const gateway = await startGatewayProcess(configurationFile, { serveOptions })
    gateways.push(gateway)
    return gateway
  }
  try {
    const first = await firstUser(directory)
    await Promise.all(Array.from({ length: count }, () => start()))
    return { gateways, configurationFile, ...first, directory, start, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function openShared(url: string): Promise<Directory> {
  return openDirectory({
    url,
    peppers: pepper,
    connections: 2,
    queryTimeoutMs: 10_000,
    cache: { maxEntries: 1, maxAgeMs: 1_000, staleMs: 1_000, negativeMs: 0 },
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  })
}

async function firstUser(directory: Directory) {
  const first = await directory.bootstrap(
    { organizationName: 'Test', userEmail: 'test@example.com' },
    { id: 'test' },
  )
  if (first === undefined) throw new Error('The directory is not empty')
  const { organizationId, userId, apiKey } = first
  return { organizationId, userId, authorization: basic(apiKey.id, apiKey.secret) }
}
