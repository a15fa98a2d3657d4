import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../../test/support/processes.ts'
import { startPinned } from '../pinned.ts'
import { pepper } from '../users.ts'
import { limitFields, wideLimits, type Contestant, type Surroundings } from './contestant.ts'
import type { FastifySettings } from './fastify-server.ts'

const program = join(import.meta.dirname, 'fastify-server.ts')

/** What suits a Node process that has one core. */
const nodeOptions = [
  '--single-threaded-gc',
  '--max-semi-space-size=32',
  '--min-semi-space-size=32',
  '--heap-growing-percent=300',
]

/** Fastify with proxy, two limiters on Redis and its logger; no concurrency limits. */
export async function startFastify(surroundings: Surroundings): Promise<Contestant> {
  const { folder, upstream, redis, users } = surroundings
  const port = await freePort()
  const settings: FastifySettings = {
    port,
    upstreamUrl: upstream.url,
    redisUrl: redis.url,
    logFile: join(folder, 'fastify.log'),
    pepper: pepper.secret,
    limits: wideLimits,
    users,
  }
  const file = join(folder, 'fastify.json')
  writeFileSync(file, JSON.stringify(settings))
  const command = [process.execPath, ...nodeOptions, program, file]
  const server = startPinned(folder, 'fastify', 'contestant', command)
  return { name: 'fastify', port, server, requiredFields: limitFields }
}
