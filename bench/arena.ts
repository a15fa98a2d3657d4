import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPostgres } from '../test/support/postgres.ts'
import { startRedis } from '../test/support/redis.ts'
import type { Contestant, Surroundings } from './contestants/contestant.ts'
import { assertServes } from './readiness.ts'
import { startUpstream } from './upstream.ts'
import { createUsers } from './users.ts'

/** Everything that contestants stand among, and the contestants that were started. */
export type Arena = {
  readonly surroundings: Surroundings
  readonly redisPid: number
  /** The credentials of all users, and of the first alone, one a line. */
  readonly credentials: { readonly allFile: string; readonly oneFile: string }
  /** Start a contestant and hold it to its work. */
  enter(start: (surroundings: Surroundings) => Promise<Contestant>): Promise<Contestant>
  /** Stop everything that was started, and remove the folder. */
  close(): Promise<void>
}

/** Start upstream, Redis and PostgreSQL with the users of the bench. */
export async function openArena(): Promise<Arena> {
  const closing: (() => Promise<unknown>)[] = []
  const close = async (): Promise<void> => {
    for (const each of closing.splice(0).reverse()) await each()
  }
  try {
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-bench-'))
    closing.push(() => rm(folder, { recursive: true, force: true }))
    const upstream = await startUpstream(folder)
    closing.push(() => upstream.server.stop())
    const redis = await startRedis()
    closing.push(() => redis.stop())
    const postgres = await startPostgres()
    closing.push(() => postgres.stop())
    const databaseUrl = await postgres.createDatabase()
    const users = await createUsers(databaseUrl)
    const surroundings = { folder, upstream, redis, databaseUrl, users }
    const basics = users.map(({ basic }) => basic)
    return {
      surroundings,
      redisPid: redis.pid(),
      credentials: {
        allFile: linesIn(folder, 'credentials', basics),
        oneFile: linesIn(folder, 'credential', basics.slice(0, 1)),
      },
      async enter(start) {
        const contestant = await start(surroundings)
        closing.push(() => contestant.server.stop())
        await assertServes(contestant, surroundings)
        return contestant
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

function linesIn(folder: string, name: string, lines: readonly string[]): string {
  const file = join(folder, name)
  writeFileSync(file, `${lines.join('\n')}\n`)
  return file
}
