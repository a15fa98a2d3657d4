import { Redis } from 'ioredis'
import type { RedisConnection } from '../../src/redis/connection.ts'
import { defineScript, type Script } from '../../src/redis/script.ts'

/** A Redis whose scripts take the time from a key, so that a test can move it. */
export type ClockedRedis = {
  readonly connection: RedisConnection
  /** @param atMs milliseconds since the epoch; later than Redis's own time, by which keys expire */
  readonly setTime: (atMs: number) => Promise<void>
  readonly close: () => void
}

const clockKey = 'test-clock'

/** Everything of the scripts is as it is, but for the one place where they ask for the time. */
export function withClock(connection: RedisConnection, url: string): ClockedRedis {
  const client = new Redis(url)
  const clocked = new Map<string, Script<unknown>>()
  return {
    connection: {
      ...connection,
      run(script, keys, args, deadlineMs) {
        const known =
          (clocked.get(script.sha1) as typeof script | undefined) ?? clockedScript(script)
        clocked.set(script.sha1, known)
        return connection.run(known, keys, args, deadlineMs)
      },
    },
    setTime: async (atMs) => {
      await client.hset(clockKey, { s: Math.floor(atMs / 1_000), us: (atMs % 1_000) * 1_000 })
    },
    close: () => {
      client.disconnect()
    },
  }
}

function clockedScript<Reply>({ source, parse }: Script<Reply>): Script<Reply> {
  const parts = source.split("call('TIME')")
  if (parts.length !== 2) throw new Error('The script does not ask for the time once')
  return defineScript(parts.join(`call('HMGET', '${clockKey}', 's', 'us')`), parse)
}
