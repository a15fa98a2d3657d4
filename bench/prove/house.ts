import { basic } from '../../test/support/basic.ts'
import type { TestConfiguration, TestGroup } from '../../test/support/configuration.ts'
import { startFleet, type Fleet } from '../../test/support/fleet.ts'
import { startPostgres, type TestPostgres } from '../../test/support/postgres.ts'
import { startRedis, type TestRedis } from '../../test/support/redis.ts'
import { startUpstream, upstreamPaths, type Upstream } from './upstream.ts'

/** What an experiment runs gateways with; whatever it does not name is at its default. */
export type HouseOptions = {
  readonly gateways: number
  /** One group for each limit class, mounted under its name. */
  readonly classes: Readonly<Record<string, unknown>>
  readonly limits?: Readonly<Record<string, unknown>>
  readonly redis?: Readonly<Record<string, unknown>>
  /** More groups, before the house's upstream. */
  readonly groups?: (upstreamUrl: string) => readonly TestGroup[]
  readonly services?: NonNullable<TestConfiguration['services']>
  /** Members of the configuration beside those. */
  readonly configuration?: Readonly<Record<string, unknown>>
  readonly directoryCache?: Readonly<Record<string, unknown>>
  /** Puts something between the gateways and their database. @returns the URL that they are given */
  readonly databaseThrough?: (url: string) => Promise<string>
}

/** Gateways in processes of their own, with PostgreSQL, Redis and an upstream. It ends with its block. */
export type House = AsyncDisposable & {
  readonly fleet: Fleet
  readonly postgres: TestPostgres
  /** Of the gateways' directory. */
  readonly databaseUrl: string
  readonly redis: TestRedis
  readonly upstream: Upstream
  /** Users of the fleet's organization beside its first. */
  addUsers(count: number): Promise<readonly User[]>
}

export type User = { readonly id: string; readonly authorization: string }

export async function openHouse(options: HouseOptions): Promise<House> {
  const ends = new AsyncDisposableStack()
  try {
    const postgres = ends.adopt(await startPostgres(), (server) => server.stop())
    const redis = ends.adopt(await startRedis(), (server) => server.stop())
    const upstream = ends.adopt(await startUpstream(), (server) => server.close())
    const ofClasses = Object.keys(options.classes).map((limitClass) => ({
      name: limitClass,
      mount: `/${limitClass}`,
      limitClass,
      paths: upstreamPaths,
      upstreamUrl: upstream.url,
    }))
    const databaseUrl = await postgres.createDatabase()
    const fleet = await startFleet({
      count: options.gateways,
      databaseUrl,
      directory: {
        url: (await options.databaseThrough?.(databaseUrl)) ?? databaseUrl,
        cache: options.directoryCache ?? {},
      },
      groups: [...ofClasses, ...(options.groups?.(upstream.url) ?? [])],
      services: options.services ?? [],
      configuration: {
        ...options.configuration,
        redis: { url: redis.url, ...options.redis },
        limits: {
          replicas: Math.max(options.gateways, 1),
          ...options.limits,
          classes: options.classes,
        },
      },
    })
    ends.adopt(fleet, (started) => started.stop())
    const open = ends.move()
    return {
      fleet,
      postgres,
      databaseUrl,
      redis,
      upstream,
      addUsers: (count) => addUsers(fleet, count),
      [Symbol.asyncDispose]: () => open.disposeAsync(),
    }
  } finally {
    await ends.disposeAsync()
  }
}

const actor = { id: 'prove' }

async function addUsers(
  { directory, organizationId }: Fleet,
  count: number,
): Promise<readonly User[]> {
  const users: User[] = []
  for (let i = 0; i < count; i++) {
    const email = `user-${i}@example.com`
    const { id } = await directory.principals.createUser({ organizationId, email }, actor)
    const key = { ownerId: id, resource: { kind: 'cloud' } } as const
    const { id: keyId, secret } = await directory.apiKeys.create(key, actor)
    users.push({ id, authorization: basic(keyId, secret) })
  }
  return users
}
