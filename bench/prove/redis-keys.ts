import { Redis } from 'ioredis'

/** Ask Redis about its keys. */
export async function withRedis<Result>(
  url: string,
  ask: (client: Redis) => Promise<Result>,
): Promise<Result> {
  const client = new Redis(url)
  try {
    return await ask(client)
  } finally {
    client.disconnect()
  }
}

/** Leases that are entered anywhere. A set without members does not exist. For letters see `countKey`. */
export function leaseCount(url: string): Promise<number> {
  return withRedis(url, async (client) => {
    const sets = await client.keys('*}[lL]*')
    const sizes = await Promise.all(sets.map((set) => client.zcard(set)))
    return sizes.reduce((sum, size) => sum + size, 0)
  })
}

/** What the windows of all users have counted together. */
export function countedForUsers(url: string): Promise<number> {
  return withRedis(url, async (client) => {
    const windows = await client.keys('*}w*')
    const values = windows.length === 0 ? [] : await client.mget(windows)
    // Behind the 13 digits that say when the window resets; see admit.lua.
    return values.reduce((sum, value) => sum + Number(value?.slice(13)), 0)
  })
}

/** Keys that would stay for ever. */
export function keysWithoutExpiry(url: string): Promise<number> {
  return withRedis(url, async (client) => {
    const keys = await client.keys('*')
    const expiries = await Promise.all(keys.map((key) => client.pttl(key)))
    return expiries.filter((ms) => ms === -1).length
  })
}
