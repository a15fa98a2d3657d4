import { spawnSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createAuthority } from '../../test/support/certificates.ts'
import { startServer, ended } from '../../test/support/processes.ts'
import { until } from '../../test/support/until.ts'
import { openArena, type Arena } from '../arena.ts'
import { measuredPath, type Contestant, type ListeningTls } from '../contestants/contestant.ts'
import { startGatehouse } from '../contestants/gatehouse.ts'
import { startHaproxy } from '../contestants/haproxy.ts'
import { startNginxLua } from '../contestants/nginx-lua.ts'
import { startBareNginx } from '../contestants/nginx.ts'
import { provideH2load, providePeers } from '../peers.ts'
import { cpuMicrosOf, familyOf } from '../proc.ts'
import { ratioOf, spreadOf } from '../statistics.ts'
import type { Experiment, Outcome } from './experiment.ts'
import { pause } from './load.ts'

export const tls: Experiment = {
  name: 'tls',
  shows:
    'What a request takes of the CPU over HTTP/1.1, over HTTP/1.1 with TLS and over HTTP/2 with TLS, for the gateway beside nginx, nginx with Lua that does the same work, and HAProxy',
  accepts: [],
  run: prove,
}

const rounds = 5
const rampMs = 500
const windowMs = 1_500
const warmUpMs = 15_000
/** How many times its own plain HTTP/1.1 the gateway's HTTP/1.1 over TLS may take, and its HTTP/2. */
const ownGoal = { h1: 1.5, h2: 2 }

/** As h2load is told: 50 requests at a time, on connections that are kept. */
const protocols = {
  plain: ['--h1', '-c', '50'],
  h1: ['--h1', '-c', '50'],
  h2: ['--npn-list=h2', '-c', '10', '-m', '5'],
} as const
type Protocol = keyof typeof protocols

const starters = {
  nginx: startBareNginx,
  'nginx-lua': startNginxLua,
  haproxy: startHaproxy,
  gatehouse: (surroundings: Arena['surroundings']) =>
    startGatehouse(surroundings, {
      name: surroundings.tls === undefined ? 'gatehouse' : 'gatehouse-tls',
    }),
} as const
type Name = keyof typeof starters

type Entrant = {
  readonly name: Name
  readonly protocol: Protocol
  readonly contestant: Contestant
  readonly micros: number[]
}

async function prove(): Promise<Outcome> {
  const missing = [...providePeers().values()]
  provideH2load()
  if (missing.length > 0) throw new Error(missing.join(', '))
  const arena = await openArena()
  await using ends = new AsyncDisposableStack()
  ends.defer(() => arena.close())
  const certificates = await certificatesIn(arena.surroundings.folder)
  const entrants: Entrant[] = []
  for (const [name, start] of Object.entries(starters) as [Name, typeof startBareNginx][]) {
    const plain = await arena.enter(start)
    const secured = ends.adopt(
      await start({ ...arena.surroundings, tls: certificates }),
      ({ server }) => server.stop(),
    )
    entrants.push(
      { name, protocol: 'plain', contestant: plain, micros: [] },
      { name, protocol: 'h1', contestant: secured, micros: [] },
      { name, protocol: 'h2', contestant: secured, micros: [] },
    )
  }
  for (const each of entrants) {
    await until(() => answers(arena, each), 30_000)
    await load(arena, each, each.name === 'gatehouse' ? warmUpMs : 1_000)
  }
  for (let round = 0; round < rounds; round++) {
    // Every other round backwards, so that nobody always follows the same one.
    for (const each of round % 2 === 0 ? entrants : entrants.toReversed())
      each.micros.push(await measured(arena, each))
  }
  return outcomeOf(entrants)
}

function outcomeOf(entrants: readonly Entrant[]): Outcome {
  const microsOf = (name: Name, protocol: Protocol): readonly number[] =>
    entrants.find((each) => each.name === name && each.protocol === protocol)?.micros ?? []
  const times = (protocol: 'h1' | 'h2', of: Name, than: Name, thanProtocol: Protocol): number =>
    ratioOf(microsOf(of, protocol), microsOf(than, thanProtocol)).median
  const told = (Object.keys(starters) as Name[]).map((name) => {
    const [plain, h1, h2] = (['plain', 'h1', 'h2'] as const).map((protocol) =>
      spreadOf(microsOf(name, protocol)).median.toFixed(0),
    )
    return `${name} ${plain ?? ''}, ${h1 ?? ''} and ${h2 ?? ''}`
  })
  const own = {
    h1: times('h1', 'gatehouse', 'gatehouse', 'plain'),
    h2: times('h2', 'gatehouse', 'gatehouse', 'plain'),
  }
  const peer = {
    h1: times('h1', 'gatehouse', 'nginx-lua', 'h1'),
    h2: times('h2', 'gatehouse', 'nginx-lua', 'h2'),
  }
  return {
    figure: `µs of CPU a request over HTTP/1.1, HTTP/1.1 with TLS and HTTP/2 with TLS, medians of ${rounds} windows: ${told.join('; ')}; gatehouse takes ${own.h1.toFixed(2)} × and ${own.h2.toFixed(2)} × what it takes without TLS, ${peer.h1.toFixed(2)} × and ${peer.h2.toFixed(2)} × what nginx-lua takes with it`,
    goal: `at most ${ownGoal.h1} × and ${ownGoal.h2} ×`,
    isMet: own.h1 <= ownGoal.h1 && own.h2 <= ownGoal.h2,
  }
}

async function certificatesIn(folder: string): Promise<ListeningTls> {
  const made = await (await createAuthority(folder)).sign('bench')
  const both = join(folder, 'bench-both.pem')
  const pems = await Promise.all([made.certificate, made.key].map((file) => readFile(file, 'utf8')))
  await writeFile(both, pems.join(''))
  return { ...made, both }
}

function urlOf({ protocol, contestant }: Entrant): string {
  return `http${protocol === 'plain' ? '' : 's'}://127.0.0.1:${contestant.port}${measuredPath}`
}

function argumentsOf(arena: Arena, entrant: Entrant, more: readonly string[]): string[] {
  const authorization = `authorization: Basic ${arena.surroundings.users[0]?.basic ?? ''}`
  return [...more, '-t', '1', '-H', authorization, urlOf(entrant)]
}

/** Whether one request is answered 200. */
function answers(arena: Arena, entrant: Entrant): boolean {
  entrant.contestant.server.assertRuns()
  const [protocol] = protocols[entrant.protocol]
  const args = argumentsOf(arena, entrant, [protocol, '-n', '1', '-c', '1'])
  const { stdout } = spawnSync('h2load', args, { encoding: 'utf8', timeout: 5_000 })
  return stdout.includes('status codes: 1 2xx')
}

/** @throws {Error} where anything is answered but 2xx */
async function load(arena: Arena, entrant: Entrant, durationMs: number): Promise<void> {
  // It takes whole seconds.
  const seconds = String(Math.ceil(durationMs / 1_000))
  const args = argumentsOf(arena, entrant, [...protocols[entrant.protocol], '-D', seconds])
  const child = startServer('h2load', args, { readable: true })
  let output = ''
  child.stdout?.on('data', (text: Buffer) => {
    output += text.toString()
  })
  await ended(child)
  entrant.contestant.server.assertRuns()
  if (/status codes: [1-9]\d* 2xx, 0 3xx, 0 4xx, 0 5xx/.test(output)) return
  throw new Error(`${entrant.contestant.name} answered something else than 200: ${output}`)
}

/** @returns microseconds that all threads of the contestant were on a CPU, for each request that reached the upstream */
async function measured(arena: Arena, entrant: Entrant): Promise<number> {
  const { upstream } = arena.surroundings
  const pids = familyOf([entrant.contestant.server.pid])
  const running = load(arena, entrant, rampMs + windowMs)
  await pause(rampMs)
  const before = { requests: await upstream.requests(), micros: cpuMicrosOf(pids) }
  await pause(windowMs - 200)
  const requests = (await upstream.requests()) - before.requests
  const micros = cpuMicrosOf(pids) - before.micros
  await running
  return micros / requests
}
