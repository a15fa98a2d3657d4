import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import type { RedisNode } from '../../src/redis/client.ts'
import { ended, freePort, signalTree, startServer } from './processes.ts'
import { redisProgram } from './redis.ts'
import { until } from './until.ts'

/** One of several Redis servers. It keeps nothing on disk but its configuration. */
export type RedisServer = RedisNode & {
  readonly client: Redis
  kill(): Promise<void>
  freeze(): void
  thaw(): void
  stop(): Promise<void>
}

/** @param lines of its configuration file, beside the port */
export async function startRedisServer(
  lines: readonly string[],
  args: readonly string[] = [],
): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-redis-'))
  const port = await freePort()
  const file = join(folder, 'redis.conf')
  const all = [`port ${port}`, 'bind 127.0.0.1', `dir ${folder}`, ...lines]
  await writeFile(file, `${all.join('\n')}\n`)
  const server = startServer(redisProgram(), [file, ...args])
  const client = new Redis({ port, retryStrategy: () => 50, maxRetriesPerRequest: null })
  client.on('error', () => undefined)
  await client.ping()

  async function kill(): Promise<void> {
    if (server.pid !== undefined) signalTree(server.pid, 'SIGKILL')
    await ended(server)
  }
  return {
    host: '127.0.0.1',
    port,
    client,
    kill,
    freeze: () => server.kill('SIGSTOP'),
    thaw: () => server.kill('SIGCONT'),
    async stop() {
      client.disconnect()
      await kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const nothingKept = ['save ""', 'appendonly no', 'repl-diskless-sync-delay 0']

export type SentinelSetup = {
  readonly name: string
  readonly sentinels: readonly RedisServer[]
  readonly primary: RedisServer
  readonly replica: RedisServer
  stop(): Promise<void>
}

/** A primary, its replica and three sentinels that give up a primary after a second. */
export async function startSentinelSetup(): Promise<SentinelSetup> {
  const name = 'gatehouse'
  const primary = await startRedisServer(nothingKept)
  const replica = await startRedisServer([
    ...nothingKept,
    `replicaof ${primary.host} ${primary.port}`,
  ])
  await until(async () => (await primary.client.info('replication')).includes('state=online'))
  const watch = [
    `sentinel monitor ${name} ${primary.host} ${primary.port} 2`,
    `sentinel down-after-milliseconds ${name} 1000`,
    `sentinel failover-timeout ${name} 5000`,
  ]
  const sentinels = await Promise.all([1, 2, 3].map(() => startRedisServer(watch, ['--sentinel'])))
  for (const { client } of sentinels) await until(() => knowsAll(client, name))
  const all = [...sentinels, replica, primary]
  const stop = async (): Promise<void> => {
    await Promise.all(all.map((server) => server.stop()))
  }
  return { name, sentinels, primary, replica, stop }
}

/** Whether a sentinel has found the replica and the two other sentinels. */
async function knowsAll(client: Redis, name: string): Promise<boolean> {
  const fields = (await client.call('SENTINEL', 'MASTER', name)) as readonly string[]
  const of = (field: string): string | undefined => fields[fields.indexOf(field) + 1]
  return of('num-slaves') === '1' && of('num-other-sentinels') === '2'
}

export type ClusterSetup = {
  /** Three primaries, then a replica of the first where one was asked for. */
  readonly nodes: readonly [RedisServer, RedisServer, RedisServer, ...RedisServer[]]
  /** The primary that a slot is with. */
  ownerOf(slot: number): Promise<RedisServer>
  stop(): Promise<void>
}

/** A cluster of three primaries, which gives up a node after a second. */
export async function startCluster(replicas: 0 | 1 = 0): Promise<ClusterSetup> {
  const lines = [...nothingKept, 'cluster-enabled yes', 'cluster-node-timeout 1000']
  const start = () => startRedisServer(lines)
  const [first, second, third, ...rest] = await Promise.all(
    Array.from({ length: 3 + replicas }, start),
  )
  if (first === undefined || second === undefined || third === undefined)
    throw new Error('The nodes did not start')
  const nodes = [first, second, third, ...rest] as const
  for (const [i, range] of ranges.entries())
    await nodes[i]?.client.cluster('ADDSLOTSRANGE', ...range)
  for (const [i, { client }] of nodes.entries()) await client.cluster('SET-CONFIG-EPOCH', i + 1)
  for (const node of nodes.slice(1)) await node.client.cluster('MEET', first.host, first.port)
  await until(async () => (await Promise.all(nodes.map(isWhole))).every(Boolean))
  for (const replica of rest) {
    const id = await first.client.cluster('MYID')
    await until(async () => {
      const answer: unknown = await replica.client.cluster('REPLICATE', id).catch(() => '')
      return answer === 'OK'
    })
    await until(async () => (await first.client.info('replication')).includes('state=online'))
  }
  return {
    nodes,
    async ownerOf(slot) {
      const slots = await first.client.cluster('SLOTS')
      const owner = slots.find(([from, to]) => from <= slot && slot <= to)?.[2]?.[1]
      const node = nodes.find(({ port }) => port === owner)
      if (node === undefined) throw new Error(`Nobody has slot ${slot}`)
      return node
    },
    stop: async () => {
      await Promise.all(nodes.map((node) => node.stop()))
    },
  }
}

const ranges = [
  [0, 5_460],
  [5_461, 10_922],
  [10_923, 16_383],
] as const

async function isWhole({ client }: RedisServer): Promise<boolean> {
  const text = await client.cluster('INFO')
  const known = /cluster_known_nodes:(\d+)/.exec(text)?.[1]
  return text.includes('cluster_state:ok') && Number(known) >= 3
}
