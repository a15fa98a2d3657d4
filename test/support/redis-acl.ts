import type { Redis } from 'ioredis'

/** What docs/limits.md says is enough: for every server, and what a cluster needs beside. */
const commands = [
  ...['eval', 'evalsha', 'info', 'time', 'mget', 'set', 'del', 'incrby', 'pttl', 'expire'],
  ...['zadd', 'zrem', 'zcard', 'zremrangebyscore', 'pexpireat'],
]
const clusterCommands = ['cluster|slots', 'cluster|info', 'asking', 'client|setname']

/** A user that may do what gateways do, and nothing else. */
export const restricted = { username: 'gatehouse', password: 'a password for the tests' }

export async function addRestrictedUser(
  client: Redis,
  keyPrefix: string,
  isCluster = false,
): Promise<void> {
  const allowed = [...commands, ...(isCluster ? clusterCommands : [])]
  const rules = ['reset', 'on', `>${restricted.password}`, `~${keyPrefix}:*`, '-@all']
  const { username } = restricted
  await client.call('ACL', 'SETUSER', username, ...rules, ...allowed.map((each) => `+${each}`))
}
