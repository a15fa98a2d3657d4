import { writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { provideServers } from '../test/support/provide-servers.ts'
import { openArena, type Arena } from './arena.ts'
import { measuredPath, type Contestant } from './contestants/contestant.ts'
import { exhaustedPath, ownCheckout } from './contestants/gatehouse.ts'
import { fieldOf, type Entrant } from './field.ts'
import { runLoad } from './load.ts'
import { measureForwarding, measureRefusals, type Bench } from './measure.ts'
import { parseOptions, type BenchOptions } from './options.ts'
import { providePeers, type MissingPeers } from './peers.ts'
import { leaveContestantCore } from './pinned.ts'
import { profileGatehouse } from './profile.ts'
import {
  jsonReport,
  latencyReport,
  loadReport,
  ratioReport,
  refusalReport,
  resolutionReport,
} from './report.ts'
import { interleave } from './rounds.ts'

// What `npm run bench` runs; bench/README.md says how to read what it prints.

const warmUpMs = 3_000
/** Node compiles what runs often, and is not done with it after some ten thousand requests. */
const warmUpRequests = 40_000
const maxWarmUps = 6
/** Where latency is what the request takes, rather than the time it stands in a queue. */
const latencyConnections = 8
const latencyContestants = ['nginx', 'nginx-lua', 'gatehouse']

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2))
  const problem = provideServers(join(ownCheckout, '.cache', 'servers'))
  if (problem !== undefined) throw new Error(problem)
  const missing = providePeers()
  print(`${leaveContestantCore()}\n`)
  const arena = await openArena()
  const interrupted = (): void => {
    // Servers die with this process; the folder is all that would be left.
    void arena.close().finally(() => process.exit(130))
  }
  process.once('SIGINT', interrupted)
  process.once('SIGTERM', interrupted)
  try {
    if (options.profile) print(`${await profileGatehouse(arena, options.connections)}\n`)
    else await compare(arena, options, missing)
  } finally {
    await arena.close()
  }
}

async function compare(arena: Arena, options: BenchOptions, missing: MissingPeers): Promise<void> {
  const contestants = await enterAll(arena, fieldOf(options.only, options.other), missing)
  const bench: Bench = {
    upstream: arena.surroundings.upstream,
    redisPid: arena.redisPid,
    cores: availableParallelism(),
    counts: { dropped: 0, degraded: 0 },
  }
  const runs = { load, latency, refusals } as const
  for (const part of options.parts) await runs[part]({ arena, bench, options, contestants })
  const { dropped, degraded } = bench.counts
  print(`\n${dropped} windows were dropped and repeated, since others used the CPU\n`)
  print(`${degraded} requests were decided without Redis (it did not answer in time)\n`)
}

/** A contestant that cannot run is named, and the others run all the same. */
async function enterAll(
  arena: Arena,
  field: readonly Entrant[],
  missing: MissingPeers,
): Promise<readonly Contestant[]> {
  const contestants: Contestant[] = []
  for (const { name, start } of field) {
    const reason = missing.get(name)
    if (reason === undefined) contestants.push(await arena.enter(start))
    else print(`MISSING ${name}: ${reason}\n`)
  }
  for (const contestant of contestants) await warmUp(arena, contestant)
  return contestants
}

async function warmUp(arena: Arena, { name, port }: Contestant): Promise<void> {
  let requests = 0
  for (let turn = 0; turn < maxWarmUps && requests < warmUpRequests; turn++) {
    const result = await runLoad({ ...targetOf(arena, 50), port, durationMs: warmUpMs })
    requests += result.requests
  }
  process.stderr.write(`${name}: warmed up by ${requests} requests\n`)
}

function targetOf({ credentials }: Arena, connections: number) {
  return { path: measuredPath, credentialsFile: credentials.allFile, connections }
}

type Run = {
  readonly arena: Arena
  readonly bench: Bench
  readonly options: BenchOptions
  readonly contestants: readonly Contestant[]
}

async function load({ arena, bench, options, contestants }: Run): Promise<void> {
  const { connections, windows, windowMs, jsonFile } = options
  const target = { ...targetOf(arena, connections), windowMs }
  const rounds = await interleave(bench, contestants, windows, (contestant) =>
    measureForwarding(bench, contestant, target),
  )
  print(
    `\n${windows} windows of ${windowMs} ms at ${connections} connections; medians (min..max)\n`,
  )
  print(`${loadReport(rounds)}\n${ratioReport(rounds)}\n${resolutionReport(rounds)}`)
  if (jsonFile !== undefined) writeFileSync(jsonFile, jsonReport(rounds))
}

async function latency({ arena, bench, options, contestants }: Run): Promise<void> {
  const chosen = contestants.filter(({ name }) => latencyContestants.includes(name))
  const target = { ...targetOf(arena, latencyConnections), windowMs: options.windowMs }
  const rounds = await interleave(bench, chosen, options.windows, (contestant) =>
    measureForwarding(bench, contestant, target),
  )
  print(`\n${latencyReport(rounds, latencyConnections)}`)
}

async function refusals({ arena, bench, options, contestants }: Run): Promise<void> {
  const chosen = contestants.filter(({ name }) => name === 'gatehouse')
  const [gatehouse] = chosen
  if (gatehouse === undefined) return
  const { connections, windowMs, windows } = options
  const { oneFile } = arena.credentials
  const target = { path: exhaustedPath, credentialsFile: oneFile, connections, windowMs }
  // The first of these is admitted, and exhausts the key.
  await runLoad({ ...target, port: gatehouse.port, durationMs: warmUpMs })
  const rounds = await interleave(bench, chosen, windows, (contestant) =>
    measureRefusals(bench, contestant, target),
  )
  print(`\n${refusalReport(rounds)}`)
}

function print(text: string): void {
  process.stdout.write(text)
}

try {
  await main()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
