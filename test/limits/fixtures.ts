import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterAll, beforeAll } from 'vitest'
import {
  createAdmission,
  type Admission,
  type AdmissionControl,
  type AdmissionOptions,
  type LimitClass,
} from '../../src/limits/admission.ts'
import { connectRedis, type RedisConnection } from '../../src/redis/connection.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'

/** Build a class whose limits are kept locally while Redis is away, unless they say otherwise. */
export function limitClass(limits: {
  readonly user?: Partial<LimitClass['user']>
  readonly organization?: Partial<LimitClass['organization']>
}): LimitClass {
  return {
    name: 'standard',
    user: { whenUnavailable: 'local', ...limits.user },
    organization: { whenUnavailable: 'local', ...limits.organization },
  }
}

/** A connection that counts what goes through it. */
export type CountedConnection = RedisConnection & {
  /** Every call so far. */
  readonly calls: {
    readonly keys: readonly string[]
    readonly deadlineMs: number | undefined
  }[]
}

export async function connect(url: string, commandTimeoutMs = 1_000): Promise<CountedConnection> {
  // Tests that do not break Redis wait longer than production: theirs is a busy machine.
  const connection = await connectRedis({ url, commandTimeoutMs, connectTimeoutMs: 1_000 })
  const calls: CountedConnection['calls'] = []
  const listeners: Parameters<RedisConnection['onChange']>[0][] = []
  connection.onChange((change) => {
    for (const listener of listeners) listener(change)
  })
  return {
    ...connection,
    calls,
    onChange: (listener) => listeners.push(listener),
    run(script, keys, args, deadlineMs) {
      calls.push({ keys, deadlineMs })
      return connection.run(script, keys, args, deadlineMs)
    },
  }
}

/** A Redis for the tests of a file, and a connection to it. Before the first test they are undefined. */
export type SharedRedis = { server: TestRedis; redis: CountedConnection }

/** Start a Redis before the tests of a file, and stop it behind them. */
export function shareRedis(): SharedRedis {
  const shared = {} as SharedRedis
  beforeAll(async () => {
    shared.server = await startRedis()
    shared.redis = await connect(shared.server.url)
  })
  afterAll(async () => {
    shared.redis.close()
    await shared.server.stop()
  })
  return shared
}

/** What a process logged about Redis. */
type Logged = { readonly level: 'info' | 'warn'; readonly message: string }

export type TestAdmission = AdmissionControl & {
  readonly logged: readonly Logged[]
  readonly keyPrefix: string
}

export function openAdmission(
  redis: RedisConnection | undefined,
  options: Partial<AdmissionOptions> = {},
): TestAdmission {
  const logged: Logged[] = []
  const keyPrefix = options.keyPrefix ?? `test-${randomUUID()}`
  const admission = createAdmission({
    redis,
    replicas: 1,
    leaseMs: 10_000,
    keyPrefix,
    unauthenticated: { requests: 3, windowSeconds: 60 },
    log: {
      info: (_record, message) => logged.push({ level: 'info', message }),
      warn: (_record, message) => logged.push({ level: 'warn', message }),
    },
    ...options,
  })
  return { ...admission, logged, keyPrefix }
}

export type Admitted = Extract<Admission, { kind: 'admitted' }>

export function isAdmitted(admission: Admission): admission is Admitted {
  return admission.kind === 'admitted'
}

/** What a decision comes down to, in one word or two. */
export function verdictOf(admission: Admission): string {
  return admission.kind === 'refused' ? `${admission.scope} ${admission.reason}` : admission.kind
}

/** The header fields that a decision stands for. */
export function fieldsOf(decided: Admission): Record<string, number> {
  if (decided.kind === 'unavailable') return {}
  const { limit } = decided
  return {
    ...(limit && {
      'X-RateLimit-Limit': limit.limit,
      'X-RateLimit-Remaining': limit.remaining,
      'X-RateLimit-Reset': limit.resetSeconds,
    }),
    ...(decided.kind === 'refused' && { 'Retry-After': decided.retryAfterSeconds }),
  }
}

/** Look at a Redis from outside. */
export async function withClient<Result>(
  url: string,
  look: (client: Redis) => Promise<Result>,
): Promise<Result> {
  const client = new Redis(url, { lazyConnect: true })
  await client.connect()
  try {
    return await look(client)
  } finally {
    client.disconnect()
  }
}

/** Do the same for all of these at once. */
export function atOnce<Item, Result>(
  items: readonly Item[],
  once: (item: Item) => Result | Promise<Result>,
): Promise<Result[]> {
  return Promise.all(items.map(async (item) => once(item)))
}

/** Do the same `count` times at once. */
export function times<Result>(
  count: number,
  once: (i: number) => Result | Promise<Result>,
): Promise<Result[]> {
  return atOnce([...Array(count).keys()], once)
}
