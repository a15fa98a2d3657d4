import { Cluster, Redis, type ClusterOptions, type RedisOptions } from 'ioredis'

export type RedisNode = { readonly host: string; readonly port: number }

/** Where Redis is. */
export type RedisServers =
  /** `redis://` or `rediss://`, with user, password and database as needed. */
  | { readonly url: string }
  /** Whatever server the sentinels say is the primary of this name. */
  | {
      readonly sentinel: {
        readonly primary: string
        readonly nodes: readonly RedisNode[]
        readonly username?: string | undefined
        readonly password?: string | undefined
      }
    }
  /** Some nodes of a cluster, by which the others are found. */
  | { readonly cluster: { readonly nodes: readonly RedisNode[] } }

export type ClientOptions = RedisServers & {
  readonly commandTimeoutMs: number
  readonly connectTimeoutMs: number
  /** Of the servers, beside what a URL says. */
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** Absent: not encrypted, but for a `rediss` URL. Certificates and key are PEM. */
  readonly tls?: RedisTls | undefined
}

export type RedisTls = {
  /** Who signed the servers' certificates; absent: whom Node trusts. */
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
  /** The name in the servers' certificates, where they are reached by another. */
  readonly servername?: string | undefined
}

/** A client that connects, and connects again whenever the connection is lost. */
export function createClient(options: ClientOptions): Redis | Cluster {
  const server = serverOptions(options)
  if ('url' in options) return new Redis(options.url, server)
  if ('sentinel' in options) return new Redis({ ...server, ...sentinelOptions(options.sentinel) })
  return new Cluster([...options.cluster.nodes], clusterOptions(server))
}

/**
 * Connect to the nodes of a cluster, and from now on to each that is found: the client would leave that
 * to a first call, and fail all others until then. Resolves when each is ready or cannot be reached.
 */
export async function connectNodes(client: Redis | Cluster): Promise<void> {
  if (client instanceof Redis) return
  client.on('+node', (node: Redis) => void connectNode(node))
  await Promise.all(client.nodes('master').map(connectNode))
}

async function connectNode(node: Redis): Promise<void> {
  if (node.status === 'ready') return
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const settle = (): void => {
    resolve(undefined)
  }
  node.once('ready', settle).once('close', settle)
  // A failure is told by an event too, and the client looks for the cluster's nodes again.
  if (node.status === 'wait') node.connect().catch(settle)
  await promise
  node.off('ready', settle).off('close', settle)
}

/** How soon a lost connection is tried again. */
export const reconnectMs = 200

/** After this long without a byte of an answer, a connection counts as dead. */
const silenceMs = 1_000

function serverOptions(options: ClientOptions) {
  const { commandTimeoutMs, connectTimeoutMs, username, password, tls } = options
  return {
    connectTimeout: connectTimeoutMs,
    // Deadlines of calls are kept by `withDeadline`. This one finds connections that look alive and
    // carry nothing, such as after a network partition, where TCP itself would wait for minutes.
    socketTimeout: Math.max(silenceMs, 10 * commandTimeoutMs),
    keepAlive: 30_000,
    retryStrategy: () => reconnectMs,
    // A call is sent now or fails now: one that waits in a queue, or is sent again when the
    // connection is back, would decide about a request that nobody waits for any more.
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    // After a failover the old primary answers so; the name may lead to the new one by now.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
    // What Redis 3 speaks is enough, and needs no negotiation.
    protocol: 2,
    disableClientInfo: true,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls: definedOf(tls) }),
  } satisfies RedisOptions
}

function sentinelOptions({
  primary,
  nodes,
  username,
  password,
}: Extract<RedisServers, { sentinel: unknown }>['sentinel']) {
  return {
    name: primary,
    sentinels: [...nodes],
    ...(username === undefined ? {} : { sentinelUsername: username }),
    ...(password === undefined ? {} : { sentinelPassword: password }),
    sentinelRetryStrategy: () => reconnectMs,
    // A primary that was only cut off stays connected to us: the sentinels tell that it is none now.
    failoverDetector: true,
  } satisfies RedisOptions
}

/** Where the slots are is asked about this often: after a failover nobody may redirect us. */
const slotsRefreshMs = 1_000

function clusterOptions(redisOptions: ReturnType<typeof serverOptions>) {
  return {
    redisOptions,
    enableOfflineQueue: false,
    clusterRetryStrategy: () => reconnectMs,
    slotsRefreshInterval: slotsRefreshMs,
    // A node that answers MOVED, ASK or TRYAGAIN has run nothing, so sending again is no retry. One
    // that is gone may have: 0 keeps the client from sending again by itself.
    maxRedirections: 4,
    retryDelayOnTryAgain: 10,
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
  } satisfies ClusterOptions
}

function definedOf(tls: RedisTls): Record<string, string> {
  return Object.fromEntries(
    Object.entries(tls).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
}
