import { startRedis } from '../../test/support/redis.ts'
import { createAdmission, type LimitClass } from '../../src/limits/admission.ts'
import { connectRedis } from '../../src/redis/connection.ts'
import { count, type Experiment, type Outcome } from './experiment.ts'
import { keysWithoutExpiry, withRedis } from './redis-keys.ts'

export const redisMemory: Experiment = {
  name: 'redis-memory',
  shows:
    'What an active user takes in Redis, with a window, a quota and a slot that is held, and that every key expires',
  accepts: [],
  run: prove,
}

const users = 10_000
const usersPerOrganization = 10
const goalBytes = 500

const window = { requests: 1_000, windowMs: 3_600_000 }
const local = { whenUnavailable: 'local' } as const
const quota = { ...local, name: 'calls', limit: 100_000, period: 'month' } as const
const classes: Readonly<Record<string, LimitClass>> = {
  'a window': { name: 'a', user: { ...local, window }, organization: local },
  'window, quota and held slot': {
    name: 'b',
    user: { ...local, window, concurrent: 10 },
    organization: { ...local, window, concurrent: 100 },
    quotas: [{ ...quota, scope: 'user' }],
  },
  'a window that slides': {
    name: 'c',
    user: { ...local, window: { ...window, isSliding: true } },
    organization: local,
  },
}

async function prove(): Promise<Outcome> {
  const server = await startRedis()
  try {
    const told: string[] = []
    let most = 0
    let withoutExpiry = 0
    for (const [name, limitClass] of Object.entries(classes)) {
      await withRedis(server.url, (client) => client.flushall())
      const before = await usedBytes(server.url)
      await admitAll(server.url, limitClass)
      const each = ((await usedBytes(server.url)) - before) / users
      told.push(`${name} ${count(each)} bytes`)
      most = Math.max(most, each)
      withoutExpiry += await keysWithoutExpiry(server.url)
    }
    return {
      figure: `of ${count(users)} users each takes: ${told.join(', ')}; ${count(withoutExpiry)} keys without expiry`,
      goal: `at most ${count(goalBytes)} bytes, 0 keys`,
      isMet: most <= goalBytes && withoutExpiry === 0,
    }
  } finally {
    await server.stop()
  }
}

async function admitAll(url: string, limitClass: LimitClass): Promise<void> {
  const redis = await connectRedis({ url, commandTimeoutMs: 30_000, connectTimeoutMs: 1_000 })
  const admission = createAdmission({
    redis,
    replicas: 1,
    leaseMs: 600_000,
    keyPrefix: 'gatehouse',
    unauthenticated: { requests: 1, windowSeconds: 1 },
    log: { info: () => undefined, warn: () => undefined },
  })
  const asked = Array.from({ length: users }, (_, i) => {
    // Ids as the directory makes them.
    const organization = Math.floor(i / usersPerOrganization)
      .toString(16)
      .padStart(12, '0')
    const organizationId = `7b9d1e2c-3f40-4a5b-8c6d-${organization}`
    return admission.admit({
      organizationId,
      principalId: `u-${i.toString(36).padStart(8, '0')}`,
      limitClass,
    })
  })
  for (const decided of asked) {
    const each = await decided
    if (each.kind !== 'admitted' || each.degraded) throw new Error(`A user was ${each.kind}`)
  }
  redis.close()
}

/** All that Redis has allocated; what its connections take is the same before and after. */
function usedBytes(url: string): Promise<number> {
  return withRedis(url, async (client) => {
    return Number(/^used_memory:(\d+)/m.exec(await client.info('memory'))?.[1])
  })
}
